"""What the settings `mining.*` may say."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from acclimate_indexer.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningOptions:
    """How to mine. Every field is part of a data set's identity.

    Attributes:
        exclude: Globs of paths that are left out, e.g. `docs/**`.
        max_pairs_per_file: Of the training part; a test file gives at most as many.
        max_pairs: Of the training part. Files that changed last come first.
        max_documentation_pairs: Of the training part, as is `max_review_pairs`.
        max_test_pairs: Completions; of the other kinds a quarter of it. So for validation.
        max_files: At most so many files are read.
        max_history_commits: At most so many commits are read for review pairs and conventions, the newest.
        since: A commit of the main line. What stood there is learnt from, all of it, and what was added later is asked,
            however young the repository is: for an adapter that learnt everything up to that commit. Empty splits as
            usual.
        learn_taken: Prefer completions that were taken and committed as they were to other holes of their files.
        hold_out: Without it everything up to HEAD is learnt from: there is neither a test nor a validation part.
    """

    max_file_bytes: int = 512 * 1024  # larger files are almost always generated or data
    exclude: tuple[str, ...] = ()
    max_pairs_per_file: int = 16
    max_pairs: int = 10_000  # more than a night on one GPU can use; about 100 MB on disk
    max_documentation_pairs: int = 1_000
    max_review_pairs: int = 2_000
    max_test_pairs: int = 400
    max_validation_pairs: int = 100
    max_files: int = 20_000
    max_history_commits: int = 5_000
    seed: int = 0
    since: str = ""
    learn_taken: bool = False
    hold_out: bool = True

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Self:
        """Reads the settings `mining.*`, their names without the prefix.

        Raises:
            UsageError: A name is unknown, or a value is of the wrong kind.
        """
        defaults = asdict(cls())
        for name, value in settings.items():
            if name not in defaults:
                raise UsageError(f"There is no setting 'mining.{name}'. Known: {', '.join(defaults)}.")
            if not _fits(value, defaults[name]):
                raise UsageError(f"'mining.{name}' cannot be {value!r}; its default is {defaults[name]!r}.")
        given: dict[str, Any] = {**settings, "exclude": tuple(settings.get("exclude", ()))}
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """All of them, but the unusual ones only where they say something: so older data sets keep their names."""
        record = {each.name: getattr(self, each.name) for each in fields(self)} | {"exclude": list(self.exclude)}
        return {name: value for name, value in record.items() if name not in _UNUSUAL or value != _UNUSUAL[name]}


_UNUSUAL: dict[str, Any] = {"since": "", "learn_taken": False, "hold_out": True}


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    if isinstance(default, bool | str):
        return isinstance(value, type(default))
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
