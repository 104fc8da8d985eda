"""What is shown of an answer: what fits the file, and nothing where it is more likely wrong than wanted."""

from dataclasses import dataclass

from acclimate_indexer.answer_checks import is_echo
from acclimate_indexer.completion_cut import cut
from acclimate_indexer.file_style import in_style_of
from acclimate_indexer.fitting import fitting

from .asking import Found, Spot
from .memory import RawAnswer

NOTHING = "The model proposed nothing here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown; empty text where nothing is, and why.

    Attributes:
        confidence: The probability of it, by the model; None where the engine does not say what tokens cost.
    """

    text: str = ""
    confidence: float | None = None
    reason: str = ""


def shown(spot: Spot, found: Found) -> Shown:
    """What is shown of the likeliest answer."""
    fits = fitted(spot, found.raw)
    reason = _why_uncertain(spot, found, fits.confidence) if fits.text else NOTHING
    return Shown(reason=reason) if reason else fits


def fitted(spot: Spot, raw: RawAnswer) -> Shown:
    """What of an answer fits the place, however uncertain."""
    cursor = spot.cursor
    answer = cut(raw.text, language=cursor.language, prefix=cursor.prefix, suffix=cursor.suffix)
    if not raw.is_whole and "\n" in answer:
        answer = answer[: answer.rfind("\n")].rstrip()  # it was cut off in its last line
    if not answer.strip() or is_echo(answer, cursor.prefix):
        return Shown()
    text = in_style_of(answer, prefix=cursor.prefix, suffix=cursor.suffix)
    if spot.tree.text == spot.before + spot.after:
        text = fitting(spot.tree, text, len(spot.before))
    as_written = "\n".join(answer.split("\n")[: text.count("\n") + 1])  # without the file's own indentation
    return Shown(text=text, confidence=raw.confidence(as_written)) if text else Shown()


def _why_uncertain(spot: Spot, found: Found, confidence: float | None) -> str:
    """Why an answer is kept back; who asks by hand may judge for himself."""
    precision = spot.place.settings.completion.precision
    if not spot.is_automatic or confidence is None:
        return ""
    calibration = found.chosen.calibration(with_retrieval=spot.place.wants_retrieval(found.chosen))
    if calibration.shows(confidence, precision):
        return ""
    likely = calibration.probability(confidence)
    return f"The answer here is right in {likely:.0%} of such cases, too seldom for `completion.precision`."
