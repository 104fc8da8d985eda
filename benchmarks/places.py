"""Places in a repository's files at which a completion may be asked for."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from acclimate_indexer.filters.generated import unwanted_path, unwanted_text
from acclimate_indexer.languages.registry import extension_of, language_of
from acclimate_indexer.repository import Repository

MIN_LINE_CHARACTERS = 30  # room for a beginning and for an answer
MIN_FILE_LINES = 20
LONG_FILE_LINES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    path: str
    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cursor after the first third of a line.

    Attributes:
        line_start: Where the code of the line begins.
        line_end: Where the line ends.
    """

    file: SourceFile
    line_start: int
    offset: int
    line_end: int

    def without_rest(self, offset: int) -> str:
        """The file with nothing on the line from `offset` on."""
        return self.file.text[:offset] + self.file.text[self.line_end :]


def source_files(repository: Repository) -> list[SourceFile]:
    """The files at the repository's head that people write."""
    found = []
    for entry in repository.files(repository.head()):
        language = language_of(entry.path)
        if language is None or unwanted_path(entry.path):
            continue
        text = repository.text(entry.blob)
        if text is not None and text.count("\n") >= MIN_FILE_LINES and not unwanted_text(text):
            found.append(SourceFile(path=entry.path, language=language.name, text=text))
    return found


def places(files: Sequence[SourceFile], *, seed: int) -> Iterator[Place]:
    """One place a file, files in an order by chance, again and again; each place once."""
    chance = random.Random(seed)  # noqa: S311  # a choice, not a key
    left = [(file, _lines(file.text)) for file in files]
    for _, offsets in left:
        chance.shuffle(offsets)
    chance.shuffle(left)
    while any(offsets for _, offsets in left):
        for file, offsets in left:
            if offsets:
                start, length = offsets.pop()
                yield Place(file=file, line_start=start, offset=start + length // 3, line_end=start + length)


def long_file(files: Sequence[SourceFile]) -> SourceFile:
    """As many of the files of the language with the most lines as make 10,000 lines, in one."""
    lines: dict[str, int] = {}
    for file in files:
        lines[file.language] = lines.get(file.language, 0) + file.text.count("\n")
    language = max(lines, key=lambda name: lines[name])
    chosen = [file for file in files if file.language == language]
    text = "".join(file.text for file in chosen)
    text *= -(-LONG_FILE_LINES // text.count("\n"))
    path = f"all_in_one{extension_of(chosen[0].path)}"
    return SourceFile(path=path, language=language, text="\n".join(text.split("\n")[:LONG_FILE_LINES]) + "\n")


def _lines(text: str) -> list[tuple[int, int]]:
    """Where the code of each line begins that is long enough, and how long it is."""
    found, start = [], 0
    for line in text.split("\n"):
        code = line.lstrip()
        if len(code.rstrip()) >= MIN_LINE_CHARACTERS and code[0].isalpha():
            found.append((start + len(line) - len(code), len(code)))
        start += len(line) + 1
    return found
