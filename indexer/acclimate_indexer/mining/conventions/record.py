"""Conventions as they are kept: what became what, what is done throughout, and the evidence."""

import re
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """`old` became `new`.

    Attributes:
        kind: `name`, `import` or `logging`.
        places: How many lines were changed so, in `commits` commits and `files` files.
        evidence: The newest of these commits, newest first.
        last: When it was done last, as a date.
        remaining: Where `old` still stands, at most ten paths.
        remaining_uses: How often.
        kept: How many commits since edited lines that named `old`, and had less than nine in ten name `new` instead.
        position: Where in names with dots `old` stood, imports aside: `first`, `later` or, where both, empty.
        extensions: Of the files that were changed so, e.g. `.py`.
    """

    old: str
    new: str
    kind: str
    places: int
    commits: int
    files: int
    evidence: tuple[str, ...]
    last: str
    remaining: tuple[str, ...]
    remaining_uses: int
    kept: int = 0
    position: str = ""
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevalence:
    """What is done in `count` of `of` places.

    Attributes:
        role: Of what, e.g. `python functions`, `logging`, `decorator dataclass`.
        rule: What is done there.
        exceptions: Where it is not, at most fifty.
        others: In how many places each other way is gone, the most frequent ten.
        borrowed: Names of functions in another style that the code uses and nothing here defines, at most 500.
    """

    role: str
    rule: str
    count: int
    of: int
    exceptions: tuple[str, ...]
    others: dict[str, int] = field(default_factory=dict)
    borrowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LintedRule:
    """A rule of ruff that is acted upon.

    Attributes:
        resolved: How many places were put right, in `commits` commits.
        standing: How many still break it.
        evidence: The newest of these commits, newest first.
        last: When the last place was put right, as a date.
        kept: How many commits edited such a place and left it so.
    """

    rule: str
    resolved: int
    commits: int
    standing: int
    evidence: tuple[str, ...]
    last: str
    kept: int = 0


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """All that was found, the best supported first."""

    replacements: tuple[Replacement, ...] = ()
    prevalence: tuple[Prevalence, ...] = ()
    linted: tuple[LintedRule, ...] = ()

    def retired_in(self, text: str) -> str | None:
        """A name in `text` that this repository has given up; None if there is none."""
        found = self._retired.search(text) if self._retired is not None else None
        return None if found is None else found[0]

    @cached_property
    def _retired(self) -> re.Pattern[str] | None:
        names = sorted({replacement.old for replacement in self.replacements}, key=lambda name: (-len(name), name))
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)") if names else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Conventions":
        """Reads what `to_json` gave.

        Raises:
            KeyError: A field is missing.
        """
        replacements = ({**each, "evidence": tuple(each["evidence"])} for each in record["replacements"])
        return cls(
            replacements=tuple(
                Replacement(
                    **{
                        **each,
                        "remaining": tuple(each["remaining"]),
                        "extensions": tuple(each.get("extensions", ())),
                    }
                )
                for each in replacements
            ),
            prevalence=tuple(
                Prevalence(
                    **{
                        **each,
                        "exceptions": tuple(each["exceptions"]),
                        "borrowed": tuple(each.get("borrowed", ())),
                    }
                )
                for each in record["prevalence"]
            ),
            linted=tuple(
                LintedRule(**{**each, "evidence": tuple(each["evidence"])}) for each in record.get("linted", ())
            ),
        )
