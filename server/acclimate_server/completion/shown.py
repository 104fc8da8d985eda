"""What is shown of an answer: cut where its construct ends, and nothing where it is more likely wrong than wanted."""

from acclimate_indexer.completion_cut import cut

from .asking import Found, Spot
from .memory import RawAnswer

NOTHING = "The model proposed nothing here."


def shown(spot: Spot, found: Found) -> tuple[str, str]:
    """The text that is shown, or none and why."""
    text = fitted(spot, found.raw)
    if not text:
        return "", NOTHING
    return ("", reason) if (reason := _why_uncertain(spot, found, text)) else (text, "")


def fitted(spot: Spot, raw: RawAnswer | str) -> str:
    """What of an answer fits the place; empty if nothing does."""
    text = raw if isinstance(raw, str) else raw.text
    text = cut(text, language=spot.cursor.language, prefix=spot.cursor.prefix, suffix=spot.cursor.suffix)
    return text if text.strip() else ""


def _why_uncertain(spot: Spot, found: Found, text: str) -> str:
    """Why an answer is kept back; who asks by hand may judge for himself."""
    precision = spot.place.settings.completion.precision
    if not spot.is_automatic or not precision:
        return ""
    confidence = found.raw.confidence(text)
    calibration = found.chosen.calibration(with_retrieval=spot.place.wants_retrieval(found.chosen))
    if confidence is None or calibration.shows(confidence, precision):
        return ""
    likely = calibration.probability(confidence)
    return f"The answer here is right in {likely:.0%} of such cases, too seldom for `completion.precision`."
