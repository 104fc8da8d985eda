"""What completion saves at the keyboard, with intervals by file."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.author import Tally
from benchmarks.replay import Replayed

from acclimate_training.evaluation.intervals import Observation, estimate


def keystrokes(replays: Sequence[Replayed]) -> dict[str, Any]:
    """The figures of one setting."""
    tallies = [each.tally for each in replays]
    figures: dict[str, Any] = {
        "hunks": len(replays),
        "characters": sum(tally.strokes for tally in tallies),
        "taken_characters": sum(tally.taken_characters for tally in tallies),
        "shown": sum(tally.shown for tally in tallies),
        "read": sum(tally.read for tally in tallies),
        "partly_right": sum(tally.partly_right for tally in tallies),
        "pauses": sum(tally.pauses for tally in tallies),
        "helped_pauses": sum(tally.helped for tally in tallies),
        "pauses_answered_with_nothing": sum(len(tally.empty) for tally in tallies),
    }
    figures |= _share("keystrokes_saved", replays, lambda tally: tally.saved, lambda tally: tally.strokes)
    figures |= _share("shown_wrong_share", replays, lambda tally: tally.wrong, lambda tally: tally.read)
    return figures | _share("helped_pause_share", replays, lambda tally: tally.helped, lambda tally: tally.pauses)


def _share(
    name: str, replays: Sequence[Replayed], part: Callable[[Tally], int], whole: Callable[[Tally], int]
) -> dict[str, Any]:
    """A share of sums; None where there is nothing to take a share of."""
    observed = [
        Observation(cluster=each.hunk.path, value=part(each.tally) / size, weight=float(size))
        for each in replays
        if (size := whole(each.tally))
    ]
    found = estimate(observed)
    if found is None:
        return {name: None}
    return {name: found.mean, f"{name}_interval": [found.low, found.high]}
