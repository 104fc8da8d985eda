"""The settings: one table. `settings_sources` resolves it, once, into a frozen `Settings`.

The fields below *are* the table: name, type, default, description, and who may set them.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from acclimate_indexer.pairs import SEVERITIES
from acclimate_training.recipe import Layers

Scope = Literal["window", "machine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A row of the table.

    Attributes:
        repository_may_set: A repository's own file may set it.
        scope: `machine` settings name what runs or where code goes: an editor must not take them from a workspace.
        minimum: The smallest number that makes sense.
        choices: The words that are taken; empty takes any.
        secret: Never shown; not accepted as a flag, since command lines are visible to every user of the machine.
    """

    name: str
    type: type
    default: Any
    description: str
    repository_may_set: bool
    scope: Scope
    minimum: float | None
    choices: tuple[str, ...]
    secret: bool


def _setting(
    default: Any,
    description: str,
    *,
    repository_may_set: bool = False,
    scope: Scope = "window",
    minimum: float | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    about = {
        "description": description,
        "repository_may_set": repository_may_set,
        "scope": scope,
        "minimum": minimum,
        "choices": choices,
        "secret": secret,
    }
    return field(default=default, metadata=about, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    name: str = _setting(
        "auto",
        "Base model: a name of the catalogue (`acclimate model list`), or `auto` to choose by hardware.",
        scope="machine",
    )
    accept_licence: bool = _setting(False, "Accept the licence of a model that restricts its use.", scope="machine")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    minutes: float = _setting(10.0, "Bounds the training itself; mining and evaluation come on top.", minimum=0.1)
    max_pairs: int = _setting(0, "At most so many training pairs; 0 takes all that fit into the minutes.", minimum=0)
    seed: int = _setting(0, "Seed of the order of pairs and of the adapter's first weights.", minimum=0)
    threads: int = _setting(0, "Processor threads of the training; 0 leaves the choice to torch.", minimum=0)
    recipe: str = _setting(
        "auto",
        "How to train: `lora`, `qlora` (the base in 4 bits, on CUDA only), or `auto` to choose by model and memory.",
        choices=("auto", "lora", "qlora"),
    )
    rank: int = _setting(0, "Rank of the adapter, one that vLLM serves (8, 16, 32); 0 chooses.", minimum=0)
    alpha: int = _setting(0, "Scales the adapter by alpha / rank; 0 takes twice the rank.", minimum=0)
    targets: tuple[str, ...] = _setting((), "Linear layers that get an adapter, like `q_proj`; empty takes all seven.")
    layers: str = _setting(
        "auto",
        "Blocks that get an adapter: `all`, `upper_three_quarters`, `upper_half`, or `auto`, which takes all.",
        choices=("auto", *get_args(Layers)),
    )
    learning_rate: float = _setting(0.0, "Learning rate; 0 chooses by model and device.", minimum=0)
    epochs: float = _setting(0.0, "A training pair is seen at most so often; 0 chooses by their number.", minimum=0)
    batch: int = _setting(0, "Pairs a step; 0 chooses by their number and the device.", minimum=0)
    context_length: int = _setting(
        0, "Tokens of a prompt, in training and in the editor alike; 0 chooses by device.", minimum=0
    )
    gpu_policy: str = _setting(
        "auto",
        "GPU beside the engine: `separate` (another one), `split` (what is free), `sleep` (the engine's), or `auto`.",
        choices=("auto", "split", "sleep", "separate"),
    )
    refit: str = _setting(
        "auto",
        "Fit a promoted recipe again on everything up to HEAD: `always`, `never`, or `auto`, which does with a GPU.",
        choices=("auto", "always", "never"),
    )
    drift_lines: int = _setting(
        1_000,  # a test of 400 pairs takes about 6,000 added lines: these give 65, enough to judge a loss by
        "Retraining is due when so many lines are new since the adapter was made,",
        minimum=1,
    )
    drift_share: float = _setting(
        0.1,  # decides in repositories of under 10,000 lines
        "or when the new lines are such a share of what was mined.",
        minimum=0.001,
    )
    automatic: bool = _setting(
        False, "Retrain by itself when it is due, while an editor is open but idle and the machine is on mains power."
    )
    idle_minutes: float = _setting(
        10.0,  # longer than reading a page, shorter than a break
        "So long after the last keystroke or request an editor counts as idle.",
        minimum=0.01,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    minutes: float = _setting(6.0, "Bounds the comparison on held-out code.", repository_may_set=True, minimum=0.1)
    automatic: bool = _setting(
        True, "Go on with an unfinished comparison, as long as `evaluation.minutes` at most once an hour, while idle."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    min_gain_points: float = _setting(
        1.5, "Points of exact match by which an adapter must beat all that needs no training here.", minimum=0
    )
    close_points: float = _setting(
        1.0, "An adapter that is this close without retrieval is used without it: shorter prompts.", minimum=0
    )
    max_general_loss_points: float = _setting(
        2.0, "Points of general ability that a promotion may cost at most, beyond doubt.", minimum=0
    )
    max_parity_nats: float = _setting(
        0.02, "How far the engine's loss may be from the trainer's, in nats a token.", minimum=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    url: str = _setting(
        "", "Address of a vLLM of your own. Your code is sent there; empty keeps everything here.", scope="machine"
    )
    key: str = _setting(
        "", "Key of that vLLM; the environment's `ACCLIMATE_ENGINE_KEY` serves too.", scope="machine", secret=True
    )
    port: int = _setting(
        0, "Port of the local engine on the loopback address; 0 takes a free one.", scope="machine", minimum=0
    )
    idle_seconds: float = _setting(
        300.0, "The local engine ends so long after its last user has gone.", scope="machine", minimum=0
    )
    gpu_memory_gb: float = _setting(
        0.0,
        "GPU memory that the local engine may take, in GB; 0 takes what the model needs.",
        scope="machine",
        minimum=0,
    )
    on_battery: bool = _setting(False, "Run the local engine on battery, too.", scope="machine")
    speculative: str = _setting(
        "off",  # with adapters it had faults in vLLM (its issue 20284), and it was not run on a GPU here yet
        "Guess several tokens at once from the text so far, on CUDA: `off`, `ngram` or `suffix`.",
        scope="machine",
        choices=("off", "ngram", "suffix"),
    )
    ca_file: str = _setting(
        "", "Certificates to trust for an `engine.url` of https, beside the usual.", scope="machine"
    )
    adapters_folder: str = _setting(
        "", "Folder that the engine of `engine.url` can read, too: adapters are copied there.", scope="machine"
    )
    adapters_folder_there: str = _setting(
        "", "How that engine calls this folder, if otherwise than this machine.", scope="machine"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    python: str = _setting(
        "",
        "Python interpreter with torch and vLLM; empty takes what `acclimate doctor --fix` installed.",
        scope="machine",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionSettings:
    enabled: bool = _setting(True, "Answer completion requests.")
    languages: tuple[str, ...] = _setting(
        (),
        "Complete only these languages, by their LSP names; empty completes all that are known.",
        repository_may_set=True,
    )
    exclude: tuple[str, ...] = _setting(
        (), "Paths that are never completed in, as glob patterns like `secrets/**`.", repository_may_set=True
    )
    automatic: str = _setting(
        "auto",
        "Complete while typing: `always`, `never` (on request only), or `auto`, where the engine is fast enough.",
        repository_may_set=True,
        choices=("auto", "always", "never"),
    )
    in_strings: bool = _setting(True, "Complete inside strings while typing.", repository_may_set=True)
    in_comments: bool = _setting(True, "Complete inside comments while typing.", repository_may_set=True)
    retrieval: str = _setting(
        "auto",
        "Code of the repository in the prompt: `always`, `never`, or `auto`, as the adapter was proven best.",
        repository_may_set=True,
        choices=("auto", "always", "never"),
    )
    precision: float = _setting(
        0.5,  # more often right than wrong
        "Of what is shown while typing so large a share is right, as measured at evaluation; 0 shows all.",
        repository_may_set=True,
        minimum=0,
    )
    max_tokens: int = _setting(
        64, "Longest rest of a line, in tokens; a block or several lines may have twice as many.", minimum=1
    )
    candidates: int = _setting(3, "So many different completions on request; while typing there is one.", minimum=1)
    debounce_seconds: float = _setting(
        0.075,
        "Wait at least so long after a keystroke before the engine is asked; longer while one types fast.",
        minimum=0,
    )
    max_file_characters: int = _setting(
        2_000_000, "In larger files nothing is completed.", repository_may_set=True, minimum=1
    )
    prefetch: bool = _setting(True, "After a completion was taken, prepare the one at its end.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    enabled: bool = _setting(True, "Review what was changed when a file is saved.")
    rules: tuple[str, ...] = _setting(
        (".acclimate/review.md", "AGENTS.md", "CLAUDE.md"),
        "Files of the repository with the team's own rules in plain language.",
        repository_may_set=True,
    )
    languages: tuple[str, ...] = _setting(
        (),
        "Review only these languages, by their LSP names; empty reviews all that are known.",
        repository_may_set=True,
    )
    exclude: tuple[str, ...] = _setting(
        (), "Paths that are never reviewed, as glob patterns like `migrations/**`.", repository_may_set=True
    )
    max_comments: int = _setting(
        3,  # who is told more at once reads none
        "At most so many comments a file.",
        repository_may_set=True,
        minimum=0,
    )
    severity: str = _setting(
        "suggestion",
        "The least that is shown: `critical`, `warning` or `suggestion`.",
        repository_may_set=True,
        choices=SEVERITIES,
    )
    idle_seconds: float = _setting(
        10.0,  # a pause to think, and no pause between two words
        "An editor that saves by itself has its file reviewed after so long without an edit.",
        minimum=0,
    )
    timeout_seconds: float = _setting(
        30.0,  # what is said later concerns code that one has left
        "A reviewer that takes longer is not waited for.",
        minimum=0.1,
    )
    model: str = _setting(
        "auto",
        "Whether an adapter speaks in reviews: `never`, or `auto`, where it was proven to help.",
        choices=("auto", "never"),
    )
    trust_linters: bool = _setting(
        False,
        "Ask the repository's own ESLint and pylint, too. Their settings are programs, which then run on your machine.",
        scope="machine",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSettings:
    keep: bool = _setting(True, "Note on this machine what became of completions: taken, kept, refused.")
    train: bool = _setting(False, "Learn from completions that were taken and are still there at the next commit.")
    rollback: bool = _setting(True, "Go back to the adapter before when the new one is taken less or answers slower.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningSettings:
    exclude: tuple[str, ...] = _setting(
        (), "Paths that are never mined, as glob patterns like `docs/**`.", repository_may_set=True
    )
    max_file_bytes: int = _setting(
        512 * 1024, "Larger files are not mined: they are almost always generated.", repository_may_set=True, minimum=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, resolved. Options of one topic share a group."""

    adapter: str = _setting(
        "auto", "Which adapter completes: `auto` (the one in use), `none` (the bare base model) or a version."
    )
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    completion: CompletionSettings = field(default_factory=CompletionSettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    feedback: FeedbackSettings = field(default_factory=FeedbackSettings)
    mining: MiningSettings = field(default_factory=MiningSettings)

    def recipe_overrides(self) -> dict[str, Any]:
        """The recipe's fields that were set by hand, as a job carries them."""
        training = self.training
        given: dict[str, Any] = {
            "method": training.recipe,
            "rank": training.rank,
            "alpha": training.alpha,
            "targets": list(training.targets),
            "layers": training.layers,
            "learning_rate": training.learning_rate,
            "max_epochs": training.epochs,
            "batch": training.batch,
            "context_length": training.context_length,
        }
        return {name: value for name, value in given.items() if value and value != "auto"}

    def mining_overrides(self) -> dict[str, Any]:
        """What differs from the defaults of mining, as a job carries it: `mining.*`, and what feedback adds."""
        changed = {
            item.name: getattr(self.mining, item.name)
            for item in dataclasses.fields(self.mining)
            if getattr(self.mining, item.name) != item.default
        }
        given = {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}
        return given | ({"learn_taken": True} if self.feedback.train else {})


def _rows() -> Iterator[Setting]:
    for top in dataclasses.fields(Settings):
        if isinstance(top.default_factory, type):
            for item in dataclasses.fields(top.default_factory):
                yield Setting(
                    name=f"{top.name}.{item.name}", type=type(item.default), default=item.default, **item.metadata
                )
        else:
            yield Setting(name=top.name, type=type(top.default), default=top.default, **top.metadata)


SETTINGS: Mapping[str, Setting] = {row.name: row for row in _rows()}


def as_markdown() -> str:
    """The table of the README."""
    lines = ["| setting | default | what it does | a repository's file may set it |", "|---|---|---|---|"]
    for row in SETTINGS.values():
        may = "yes" if row.repository_may_set else "no"
        lines.append(f"| `{row.name}` | `{shown(row.default)}` | {row.description} | {may} |")
    return "\n".join(lines) + "\n"


def shown(value: Any) -> str:
    """A value as a settings file would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:g}" if isinstance(value, float) else str(value)
