"""Progress and durations in words, for the editor and the terminal alike."""

from acclimate_training.job import Progress

PHASE_WORDS = {
    "mine": "Mining the repository",
    "load": "Loading the model",
    "encode": "Encoding the pairs",
    "general code": "Looking for general code",
    "train": "Training",
    "primer": "Training a primer on general code",
    "control": "Training a control on general code",
    "loss": "Measuring the loss on held-out code",
    "general loss": "Measuring the loss on general code",
    "general": "Completing general code",
    "trust": "Comparing engine and trainer",
    "refit": "Training once more on everything",
    "drift": "Measuring the loss on newer code",
    "engine": "Waiting for the engine, seconds",
    "generate": "Completing held-out code",
    "review": "Reviewing held-out code",
    "evaluate": "Comparing on held-out code",
    "register": "Keeping the adapter",
}

MINUTE = 60


def phase_words(phase: str) -> str:
    """A phase as a person would call it."""
    return PHASE_WORDS.get(phase, phase.replace("_", " ").capitalize() or "Working")


def duration_words(seconds: float) -> str:
    """`45 s` or `3 min`."""
    return f"{seconds:.0f} s" if seconds < 1.5 * MINUTE else f"{seconds / MINUTE:.0f} min"


def progress_words(progress: Progress) -> str:
    """One line about where a run stands."""
    if progress.state == "finished":
        verdict = (progress.result or {}).get("verdict") or {}
        return str(verdict.get("reason") or "Finished.")
    if progress.state is not None:
        return progress.reason or progress.state.capitalize()
    parts = [phase_words(progress.phase)]
    if progress.of:
        parts.append(f"{progress.step} of {progress.of}")
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.2f}")
    if progress.seconds_left is not None:
        parts.append(f"about {duration_words(progress.seconds_left)} left")
    return ", ".join(parts) + (f" ({progress.message})" if progress.message else "")
