"""A file that may be mined, with its lines and what stands in it."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import secret_spans
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import language_of_text
from acclimate_indexer.syntax import Outline, Span, Syntax, outline_of, syntax_of

Remember = Callable[[list[Any], Callable[[], Any]], Any]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The text of a blob at a commit; parsed when first asked.

    Attributes:
        language: As the path says; `of` looks at the text, too.
        remember: Gives what was found before by what decides it, or else finds it: `Memory.of`.
    """

    path: str
    blob: str
    commit: str
    language: Language
    text: str
    remember: Remember | None = None

    @classmethod
    def of(
        cls, *, path: str, blob: str, commit: str, language: Language, text: str, remember: Remember | None = None
    ) -> Self:
        """A file in the language that its path and its text say."""
        found = language_of_text(language, path, text)
        return cls(path=path, blob=blob, commit=commit, language=found, text=text, remember=remember)

    @cached_property
    def outline(self) -> Outline:
        """Enough of a file for reviews, in half the time that its `syntax` takes, and at times remembered."""
        if self.remember is None:
            return outline_of(self.text, self.language)
        what = ["outline", self.blob, self.language.name]
        return Outline.from_json(self.remember(what, lambda: outline_of(self.text, self.language).to_json()))

    @cached_property
    def syntax(self) -> Syntax:
        return syntax_of(self.text, self.language)

    @cached_property
    def hidden(self) -> dict[Span, str]:
        """The lines that nobody may learn, in the order of the file, and why: `secret` or `personal_data`."""
        why = dict.fromkeys(personal_spans(self.text), "personal_data") | dict.fromkeys(
            secret_spans(self.text), "secret"
        )
        return dict(sorted(why.items()))

    @cached_property
    def line_starts(self) -> list[int]:
        starts = [0]
        while (found := self.text.find("\n", starts[-1])) >= 0:
            starts.append(found + 1)
        return starts

    def line_of(self, position: int) -> int:
        """The line of a character, counted from 0."""
        return bisect_right(self.line_starts, position) - 1

    def line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def line_end(self, position: int) -> int:
        end = self.text.find("\n", position)
        return len(self.text) if end < 0 else end

    def lines(self, span: Span) -> range:
        """The lines that a span touches."""
        return range(self.line_of(span.start), self.line_of(max(span.start, span.end - 1)) + 1)

    def whole_lines(self, span: Span) -> list[str]:
        """The text of these lines, stripped, blank ones left out."""
        text = self.text[self.line_start(span.start) : self.line_end(span.end)]
        return [line.strip() for line in text.split("\n") if line.strip()]
