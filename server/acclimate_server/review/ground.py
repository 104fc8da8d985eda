"""What reviews of a work tree rest on: the text as it was committed, conventions, and what was dismissed.

All of it reads the disk or git. It is for one thread: the session's for reviews, so that a completion never waits.
"""

from concurrent.futures import Executor
from dataclasses import dataclass

from acclimate_indexer.dataset import Dataset, latest_dataset
from acclimate_indexer.errors import DatasetError
from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.conventions.record import Conventions
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.dismissals import Dismissals, Scope, dismiss
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.target import ReviewTarget

from ..settings import ReviewSettings
from .reviewers import ConventionsReviewer, Reviewer

NO_MODEL = "off: no adapter has proven here that its comments are right"
NO_MODEL_WANTED = "off: `review.model`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The reviewers of a repository, and for the status what each goes by, or why it is silent."""

    reviewers: tuple[Reviewer, ...]
    words: dict[str, str]

    @property
    def basis(self) -> tuple[tuple[str, str], ...]:
        """What their judgement rests on."""
        return tuple((each.name, each.identity) for each in self.reviewers)


class Ground:
    """One work tree. Not for use by several threads at once."""

    def __init__(self, repository: Repository, home: RepositoryHome) -> None:
        self.repository = repository
        self.home = home
        self._known: tuple[str, Conventions] | None = None
        self._dismissals = Dismissals()
        self._dismissed_at: tuple[int, int] | None = None

    def committed(self, path: str) -> str:
        """What was committed last at a path; empty for a new file, and for one that nobody can read."""
        blob = self.repository.blob_of("HEAD", path)
        return "" if blob is None else self.repository.text(blob) or ""

    def panel(self, wanted: ReviewSettings, executor: Executor) -> Panel:
        """Who reviews here.

        Args:
            executor: What runs this thread, and no other.
        """
        words = self.words(wanted)
        try:
            dataset, conventions = self._conventions()
        except DatasetError:
            return Panel(reviewers=(), words=words)
        reviewer = ConventionsReviewer(conventions, self.repository, executor, identity=dataset.hash)
        return Panel(reviewers=(reviewer,), words=words)

    def words(self, wanted: ReviewSettings) -> dict[str, str]:
        """For people: what each reviewer goes by here, or why it is silent."""
        try:
            conventions = conventions_words(self._conventions()[1])
        except DatasetError as error:
            conventions = f"off: {error}"
        return {"conventions": conventions, "model": NO_MODEL_WANTED if wanted.model == "never" else NO_MODEL}

    def dismissals(self) -> Dismissals:
        """What was dismissed, by whatever editor: read again when the file has changed."""
        if self.has_news():
            self._dismissed_at = self._feedback_stamp()
            self._dismissals = Dismissals.read(FeedbackStore(self.home.feedback))
        return self._dismissals

    def dismiss(self, found: Finding, target: ReviewTarget, scope: Scope) -> None:
        """Remembers that somebody does not want to hear this.

        Raises:
            DiskFull: There is no room.
        """
        dismiss(FeedbackStore(self.home.feedback), found, target, scope=scope, commit=self.repository.head())

    def has_news(self) -> bool:
        """Whether something was dismissed since they were read."""
        return self._feedback_stamp() != self._dismissed_at

    def _feedback_stamp(self) -> tuple[int, int]:
        try:
            found = self.home.feedback.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def _conventions(self) -> tuple[Dataset, Conventions]:
        """The newest data set and its conventions, which are read once."""
        dataset = latest_dataset(self.home)
        if self._known is None or self._known[0] != dataset.hash:
            self._known = dataset.hash, dataset.conventions()
        return dataset, self._known[1]


def conventions_words(conventions: Conventions) -> str:
    """How much is known, for people."""
    return f"{len(conventions.replacements):,} replacements and {len(conventions.prevalence):,} habits known"
