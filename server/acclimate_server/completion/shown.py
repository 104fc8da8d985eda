"""What is shown of an answer: what fits the file, and nothing where it is more likely wrong than wanted."""

from acclimate_indexer.answer_checks import is_echo
from acclimate_indexer.completion_cut import cut
from acclimate_indexer.file_style import in_style_of
from acclimate_indexer.fitting import fitting

from .asking import Found, Spot
from .memory import RawAnswer

NOTHING = "The model proposed nothing here."


def shown(spot: Spot, found: Found) -> tuple[str, str]:
    """The text that is shown, or none and why."""
    text = fitted(spot, found.raw)
    if not text:
        return "", NOTHING
    return ("", reason) if (reason := _why_uncertain(spot, found, text)) else (text, "")


def fitted(spot: Spot, raw: RawAnswer) -> str:
    """What of an answer fits the place; empty if nothing does."""
    text = _cut(spot, raw)
    if not text.strip() or is_echo(text, spot.cursor.prefix):
        return ""
    text = in_style_of(text, prefix=spot.cursor.prefix, suffix=spot.cursor.suffix)
    is_current = spot.tree.text == spot.before + spot.after
    return fitting(spot.tree, text, len(spot.before)) if is_current else text


def confidence_in(spot: Spot, raw: RawAnswer, text: str) -> float | None:
    """The probability of what is shown, as the model wrote it: the file's own indentation costs nothing."""
    lines = _cut(spot, raw).split("\n")[: text.count("\n") + 1]
    return raw.confidence("\n".join(lines))


def _cut(spot: Spot, raw: RawAnswer) -> str:
    cursor = spot.cursor
    text = cut(raw.text, language=cursor.language, prefix=cursor.prefix, suffix=cursor.suffix)
    is_cut_off = not raw.is_whole and "\n" in text
    return text[: text.rfind("\n")].rstrip() if is_cut_off else text


def _why_uncertain(spot: Spot, found: Found, text: str) -> str:
    """Why an answer is kept back; who asks by hand may judge for himself."""
    precision = spot.place.settings.completion.precision
    confidence = confidence_in(spot, found.raw, text)
    if not spot.is_automatic or confidence is None:
        return ""
    calibration = found.chosen.calibration(with_retrieval=spot.place.wants_retrieval(found.chosen))
    if calibration.shows(confidence, precision):
        return ""
    likely = calibration.probability(confidence)
    return f"The answer here is right in {likely:.0%} of such cases, too seldom for `completion.precision`."
