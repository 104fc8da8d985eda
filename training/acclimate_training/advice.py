"""Whether training is worth it here, before anything is trained: what prompts alone reach, and what they miss.

The base, the base with retrieval and the prompted base complete held-out places. What the best of them misses is then
divided by what could help: names of this repository that no prompt showed can be learnt by training alone; an answer
that begins right and goes on is the format's fault, which any training mends; the rest may be out of reach.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from acclimate_indexer.errors import EngineUnavailable
from acclimate_indexer.fragment import fragment
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.prompts import PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_indexer.vocabulary import words_of

from .engine_address import EngineAddress
from .evaluation.asking import Asking, ask
from .evaluation.contenders import BASE, BASE_RETRIEVAL, WITHOUT_TRAINING, Contender
from .evaluation.heldout import HeldOut, held_out
from .evaluation.measured import Measured
from .evaluation.names import KnownNames
from .evaluation.questions import Question
from .evaluation.requests import in_order
from .lineage import Setting
from .reporting import Run

PAIRS = 100
LITTLE = 0.05  # of all places: fewer than this to be gained is what two hundred pairs could not even show
MIN_ANSWERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is left to gain, as shares of the places that were asked.

    Attributes:
        best: The contender that hits most often.
        hit: What it gets right.
        format_missed: What it begins right, and then goes on.
        names_missed: What it misses where the answer has a name of this repository that its prompt did not show.
        is_worthwhile: Whether a training has something to gain.
        said: All of it, in sentences.
    """

    best: str
    hit: float
    format_missed: float
    names_missed: float
    pairs: int
    is_worthwhile: bool
    said: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def advise(run: Run, setting: Setting, home: RepositoryHome, repository: Repository) -> dict[str, Any]:
    """Measures what needs no training, and gives the figures and the advice.

    Raises:
        EngineError: No engine was given, or it does not answer.
    """
    address = EngineAddress.from_environment()
    if address is None:
        raise EngineUnavailable("Advice needs an engine, and none was given.")
    split = str(setting.dataset.manifest["split_commit"])
    known = KnownNames.of(repository, split, setting.dataset.conventions())
    held = held_out(setting, home, versions={"base": None}, known=known, at_most=PAIRS)
    what = _asking(setting, held)
    if not what.is_empty:
        ask(what, address, run, seconds=run.job.evaluation_minutes * 60)
    found = advice(held.measured(), known, setting.builder)
    table = held.table()
    return {
        "contenders": table["contenders"],
        "split": held.split,
        "advice": None if found is None else found.to_json(),
    }


def advice(measured: Measured, known: KnownNames, builder: PromptBuilder) -> Advice | None:
    """What the answers say; None if there are too few."""
    answered = [{each.name for each in measured.answered(contender)} for contender in WITHOUT_TRAINING]
    common = [question for question in measured.questions if all(question.name in names for names in answered)]
    if len(common) < MIN_ANSWERS:
        return None
    best = max(WITHOUT_TRAINING, key=lambda each: _hits(measured, each, common))
    missed = [question for question in common if not measured.scores(best, question)["exact_match"]]
    others = [question for question in missed if not _begins_right(measured, best, question)]
    unseen = [question for question in others if unseen_names(question, best, known, builder)]
    shares = {
        "hit": 1 - len(missed) / len(common),
        "format_missed": (len(missed) - len(others)) / len(common),
        "names_missed": len(unseen) / len(common),
    }
    rounded = {name: round(share, 3) for name, share in shares.items()}
    is_worthwhile = shares["names_missed"] + shares["format_missed"] > LITTLE
    return Advice(
        best=best.name,
        pairs=len(common),
        is_worthwhile=is_worthwhile,
        said=_said(best, rounded, len(common), is_worthwhile),
        **rounded,
    )


def unseen_names(question: Question, contender: Contender, known: KnownNames, builder: PromptBuilder) -> list[str]:
    """Names of the repository that the answer needs and that nothing in the prompt, as it was cut, shows."""
    pair = question.pair
    shown = words_of(builder.decode(question.examples[contender.form].prompt))
    found = fragment(pair.middle, prefix=pair.prefix, suffix=pair.suffix, language=language_named(pair.language))
    return [name for name in dict.fromkeys(found.identifiers) if name not in shown and known.is_own(name)]


def _begins_right(measured: Measured, contender: Contender, question: Question) -> bool:
    return (measured.generated(contender, question) or "").startswith(question.pair.middle.rstrip())


def _hits(measured: Measured, contender: Contender, questions: Iterable[Question]) -> float:
    return sum(measured.scores(contender, question)["exact_match"] or 0.0 for question in questions)


def _said(best: Contender, shares: dict[str, float], pairs: int, is_worthwhile: bool) -> str:
    hit, begun, unseen = (100 * shares[name] for name in ("hit", "format_missed", "names_missed"))
    measured = (
        f"Of {pairs} held-out places {best.name} gets {hit:.0f}% right. {begun:.0f}% it begins right and does not end "
        f"in time, which any training mends. In {unseen:.0f}% the answer has names of this repository that the prompt "
        "did not show: these only training can add."
    )
    if is_worthwhile:
        return f"{measured} Training has something to gain: `acclimate adapt`."
    if best == BASE:
        return f"{measured} Little is left to gain: the base model is enough here."
    return (
        f"{measured} Little is left to gain: {'retrieval' if best == BASE_RETRIEVAL else 'prompting'} is enough here."
    )


def _asking(setting: Setting, held: HeldOut) -> Asking:
    requests = in_order(held.questions, held.contenders)
    return Asking(
        base=setting.model.name,
        names={"base": setting.model.name},
        adapters={},
        builder=setting.builder,
        answers=requests,
        stores=held.stores,
        general=(),
        general_stores=held.stores,
        parity={},
        secrets=(),
        facts={},
    )
