"""A document of the editor's as reviews see it: its text at one moment, and where it belongs."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from acclimate_indexer.file_text import uniform
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository

from ..settings import ReviewSettings
from .model import Voice


@dataclass(frozen=True, kw_only=True)
class OpenText:
    """What stands in a document.

    Attributes:
        version: The editor's number of this state; None if it gave none.
        source: As the editor has it, with its own line endings. Positions are told in it.
    """

    uri: str
    path: Path
    language_id: str
    version: int | None
    source: str

    @cached_property
    def text(self) -> str:
        """What is reviewed."""
        return uniform(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """The repository of a document.

    Attributes:
        path: Of the document, relative to the work tree.
        voice: Whether the adapter that is in use now speaks.
    """

    repository: Repository
    home: RepositoryHome
    wanted: ReviewSettings
    path: str
    voice: Voice
