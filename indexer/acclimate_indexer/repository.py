"""Git: the files of a commit, and the lines that later commits added.

A repository is untrusted input. Its configuration may name programs (monitors, hooks, pagers, diff drivers); here git
is told by environment to use none of them, only plumbing commands and searches run, nothing is fetched, and blobs are
read as they are stored. Of the work tree nothing is read but what is searched for, as it lies there. The repository is
named to git explicitly, so neither the caller's `GIT_*` variables nor the owner of the folder matter; only the index
that a hook is told of is heeded.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .changes import DETAILS_FORMAT, CommitDetails, FileChange, commit_details, file_changes, moment
from .differences import Difference, differences
from .errors import RepositoryError
from .file_text import uniform
from .home import repository_name
from .patches import REGULAR_MODES, AddedLines, added_lines, readable_path

if TYPE_CHECKING:
    from git.cmd import Git

MAX_DIFFED_BYTES = 512 * 1024  # git calls larger files binary, and does not compare them line by line
MAX_COMPARED_FILES = 200  # new and gone files of a commit that git compares for renames: it compares each with each

FOUND, FOUND_NOTHING = 0, 1  # with which `git grep` exits
_MATCH = re.compile(rb"([^\0]*)\0([^\n]*)\n")  # of what it says: a path, which may have line ends, and a line

_CONFIG = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    "core.pager": "cat",
    "core.sshCommand": "false",
    "core.alternateRefsCommand": "",
    "core.quotePath": "true",
    "core.bigFileThreshold": str(MAX_DIFFED_BYTES),
    "diff.external": "",
    "gpg.program": "false",
    "log.showSignature": "false",
    "protocol.allow": "never",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobEntry:
    """A regular file of a commit. Bytes of `path` that are no UTF-8 are replaced."""

    path: str
    blob: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit of the main line: its first parent (None for a root) and when it was committed."""

    sha: str
    parent: str | None
    time: datetime


class Repository:
    """One git repository, read only. Not for use by several threads at once."""

    def __init__(self, *, git_directory: Path, common_directory: Path, work_tree: Path | None) -> None:
        self.git_directory = git_directory
        self.common_directory = common_directory
        self.work_tree = work_tree
        self.name = repository_name(common_directory)
        self._git = _runner(git_directory, common_directory, _index_file(git_directory, work_tree))

    @classmethod
    def open(cls, path: Path) -> Self:
        """The repository around `path`: a work tree, any folder in one, a worktree, or a bare repository.

        Raises:
            RepositoryError: There is none, it has no commits, or git is not installed.
        """
        start = path.expanduser().resolve()
        if not start.exists():
            raise RepositoryError(f"{str(path)!r} does not exist. Name a folder inside a git repository.")
        found = next(filter(None, map(_git_directory, (start, *start.parents))), None)
        if found is None:
            raise RepositoryError(
                f"{str(path)!r} is not inside a git repository. Name one, or make one with `git init` and commit."
            )
        repository = cls(git_directory=found[0], common_directory=_common_directory(found[0]), work_tree=found[1])
        repository.head()
        return repository

    def head(self) -> str:
        """The commit that is checked out.

        Raises:
            RepositoryError: There are no commits yet.
        """
        try:
            return self._run("rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}").decode().strip()
        except RepositoryError as error:
            if not self._run("for-each-ref", "--count=1", "--format=%(refname)"):
                raise RepositoryError(
                    f"The repository {str(self.git_directory)!r} has no commits yet. Commit something first."
                ) from error
            raise RepositoryError(
                f"HEAD of {str(self.git_directory)!r} names no commit. Check out a branch that has commits."
            ) from error

    def root_commit(self) -> str:
        """The first commit of the main line: tells repositories apart whose folders were moved."""
        return self._run("rev-list", "--first-parent", "--max-parents=0", "HEAD").decode().split()[-1]

    def commit_time(self, sha: str) -> datetime:
        line = self._run("rev-list", "--no-walk", "--timestamp", "--end-of-options", sha).split()[0]
        return moment(line)

    def details(self, shas: Sequence[str]) -> dict[str, CommitDetails]:
        """What commits say about themselves; none at all where one of them is not there (any more)."""
        options = ["--no-walk", "--encoding=UTF-8", "--no-commit-header", f"--format={DETAILS_FORMAT}"]
        try:
            output = self._run("rev-list", *options, "--end-of-options", *shas) if shas else b""
        except RepositoryError:
            return {}
        return {found.sha: found for found in commit_details(output)}

    def main_line(self, until: str, *, count: int | None = None) -> list[Commit]:
        """The commits from `until` back along first parents, newest first."""
        limit = [] if count is None else [f"--max-count={count}"]
        lines = self._run("rev-list", "--first-parent", "--parents", "--timestamp", *limit, until).decode().splitlines()
        return [
            Commit(sha=sha, parent=parents[0] if parents else None, time=moment(stamp))
            for stamp, sha, *parents in map(str.split, lines)
        ]

    def files(self, commit: str) -> Iterator[BlobEntry]:
        """The regular files of a commit; links and submodules are left out."""
        for entry in self._run("ls-tree", "-r", "-l", "-z", "--full-tree", "--end-of-options", commit).split(b"\0"):
            stat, _, path = entry.partition(b"\t")
            fields = stat.split()
            if len(fields) == 4 and fields[0] in REGULAR_MODES and fields[3].isdigit():
                yield BlobEntry(path=readable_path(path), blob=fields[2].decode(), size_bytes=int(fields[3]))

    def blob_of(self, commit: str, path: str) -> str | None:
        """What a commit holds at a path; None if nothing, or if there is no such commit."""
        try:
            return (
                self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:{path}").decode().strip()
            )
        except RepositoryError:
            return None

    def text_at(self, commit: str, path: str, *, max_bytes: int) -> str | None:
        """What a commit holds at a path: empty if nothing, None if no text, as with a link or a larger file."""
        options = ("-z", "--full-tree", "--end-of-options", commit)
        about, _, _ = self._run("--literal-pathspecs", "ls-tree", *options, path).partition(b"\t")
        if not about:
            return ""
        mode, _, blob = about.split()
        return self.text(blob.decode(), max_bytes=max_bytes) if mode in REGULAR_MODES else None

    def differences(self, old: str, new: str | None) -> Iterator[Difference]:
        """The files that are new or other than in the commit `old`, renamed ones known again.

        Args:
            new: A commit; None for the index, which is what would be committed now.
        """
        compared = ("diff-index", "--cached") if new is None else ("diff-tree", "-r")
        options = ("--raw", "-z", "-M", f"-l{MAX_COMPARED_FILES}", "--no-ext-diff", "--ignore-submodules=all")
        ends = (old,) if new is None else (old, new)
        yield from differences(self._run(*compared, *options, "--end-of-options", *ends))

    def lines_with(self, word: str, *, patterns: Sequence[str], commit: str | None = None) -> Iterator[tuple[str, str]]:
        """The lines that have a word, each with the path of its file.

        Args:
            patterns: Globs of the files to look at, e.g. `*.py`.
            commit: Whose files to search; None for the work tree as it lies there, less what git ignores.
        """
        place = self.work_tree or self.git_directory
        where = [commit or "HEAD"] if commit or self.work_tree is None else ["--untracked"]
        said = ("-z", "--full-name", "--no-color", "--no-line-number", "--no-column")  # whatever is configured
        options = (*said, "-I", "-w", "-F", "--no-recurse-submodules", "-e", word)
        with _git_errors(self.git_directory):
            status, output, error = self._git.execute(
                ["git", "-C", str(place), "grep", *options, *where, "--", *(f":(top){each}" for each in patterns)],
                env={"GIT_WORK_TREE": str(place)},
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
            )
        if status not in (FOUND, FOUND_NOTHING):
            raise RepositoryError(f"git cannot search {str(self.git_directory)!r}: {str(error).strip()}.")
        for path, line in _MATCH.findall(output):
            name = path if where == ["--untracked"] else path.partition(b":")[2]
            yield readable_path(name), line.decode("utf-8", errors="replace")

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that leads to both; None if there is none, or one of them is no revision."""
        try:
            return self._run("merge-base", "--end-of-options", one, other).decode().strip()
        except RepositoryError:
            return None

    def leads_to(self, older: str, newer: str) -> bool:
        """Whether `newer` was built on `older`."""
        return self.merge_base(older, newer) == older

    def text(self, blob: str, *, max_bytes: int | None = None) -> str | None:
        """The text of a blob; None if it is larger, binary, not UTF-8, or not on this machine (a partial clone)."""
        try:
            with _git_errors(self.git_directory):
                if max_bytes is not None and self._git.get_object_header(blob)[2] > max_bytes:
                    return None
                data: bytes = self._git.get_object_data(blob)[3]
        except ValueError:
            return None
        return decoded(data)

    def opener(self) -> "Callable[[], Repository]":
        """What opens the same repository in another process."""
        return partial(Repository.open, self.git_directory)

    def touched(self, commits: Sequence[Commit]) -> Iterator[str]:
        """The paths that the commits changed, in the order of the commits; repeated as often as changed."""
        with self._diff_tree(commits, "--name-only", "-z", "--no-commit-id") as output:
            names = bytes(output.read())
        yield from (readable_path(name) for name in names.split(b"\0") if name)

    def added_lines(self, commits: Sequence[Commit], *, patterns: Sequence[str] = ()) -> Iterator[AddedLines]:
        """What each commit added to its first parent, in the order of the commits.

        Args:
            commits: Of the main line; one without a parent is passed over.
            patterns: Globs of the files to look at, e.g. `*.py`; none for all.
        """
        children = [commit for commit in commits if commit.parent is not None]
        options = ("-p", "--unified=0", "--full-index", "--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=myers")
        with self._diff_tree(children, *options, "--", *patterns) as output:
            yield from added_lines(output)

    def history(
        self,
        until: str,
        *,
        since: str | None = None,
        count: int,
        patterns: Sequence[str] = (),
        is_main_line: bool = False,
    ) -> Iterator[tuple[CommitDetails, tuple[FileChange, ...]]]:
        """What the newest commits that lead to `until` changed, newest first; merges, which change nothing, left out.

        Args:
            since: Leave out the commits that lead to this one.
            count: At most so many commits.
            patterns: Globs of the files to look at, e.g. `*.py`; none for all.
            is_main_line: Follow first parents only; a merge then brings all that was merged.
        """
        which = "--first-parent" if is_main_line else "--no-merges"
        limits = [which, f"--max-count={count}", "--no-commit-header", f"--format={DETAILS_FORMAT}"]
        asked = [until] if since is None else [until, f"^{since}"]
        details = {
            found.sha: found for found in commit_details(self._run("rev-list", "--encoding=UTF-8", *limits, *asked))
        }
        commits = [
            Commit(sha=found.sha, parent=found.parents[0] if found.parents else None, time=found.time)
            for found in details.values()
        ]
        options = ("-p", "-M", f"-l{MAX_COMPARED_FILES}", "--unified=0", "--full-index")
        with self._diff_tree(
            commits, *options, "--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=histogram", "--", *patterns
        ) as output:
            for sha, changes in file_changes(output):
                yield details[sha], changes

    @contextmanager
    def _diff_tree(self, commits: Sequence[Commit], *options: str) -> Iterator[Any]:
        """Runs `git diff-tree` over commits, each against its first parent, whatever else it merges."""
        fixed = (
            "-r",
            "--root",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--ignore-submodules=all",
        )
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{commit.sha} {commit.parent or ''}".rstrip() + "\n" for commit in commits).encode())
            asked.seek(0)
            with _git_errors(self.git_directory):
                process = self._git.execute(
                    ["git", "diff-tree", "--stdin", *fixed, *options], istream=asked, as_process=True
                )
                try:
                    yield process.stdout
                finally:
                    _end(process)

    def _run(self, *arguments: str) -> bytes:
        with _git_errors(self.git_directory):
            output: bytes = self._git.execute(
                ["git", *arguments], stdout_as_string=False, strip_newline_in_stdout=False
            )
            return output


def decoded(data: bytes) -> str | None:
    """The text that a file holds, made `uniform`; None if it is binary or not UTF-8."""
    if b"\0" in data:
        return None
    try:
        return uniform(data.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def _index_file(git_directory: Path, work_tree: Path | None) -> Path:
    """The index that counts: git tells its hooks of the one that it is about to commit, which may be a temporary one.

    The name may be relative to the top of the work tree, while our commands run in the git directory. An index of
    another work tree is none of ours: a hook may call us about a submodule, or a submodule's about what is around it.
    """
    told = os.environ.get("GIT_INDEX_FILE")
    named = ((work_tree or Path()) / told).resolve() if told else None
    return named if named and named.parent == git_directory and named.is_file() else git_directory / "index"


def _runner(git_directory: Path, common_directory: Path, index_file: Path) -> "Git":
    """GitPython's command runner, with everything switched off that a repository could make git start."""
    try:
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # without git, GitPython would fail while being imported
        from git.cmd import Git
    except ImportError as error:
        raise RepositoryError(f"GitPython cannot be used: {error}. Install git.") from error
    git = Git(git_directory)
    git.update_environment(
        GIT_DIR=str(git_directory),
        GIT_COMMON_DIR=str(common_directory),
        GIT_OBJECT_DIRECTORY=str(common_directory / "objects"),
        GIT_INDEX_FILE=str(index_file),
        GIT_ALTERNATE_OBJECT_DIRECTORIES="",
        GIT_WORK_TREE=str(git_directory),  # plumbing on objects needs none
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_PARAMETERS="",
        GIT_ATTR_NOSYSTEM="1",
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_NO_LAZY_FETCH="1",
        GIT_ALLOW_PROTOCOL="none",
        GIT_OPTIONAL_LOCKS="0",
        GIT_TERMINAL_PROMPT="0",
        GIT_PAGER="cat",
        GIT_CONFIG_COUNT=str(len(_CONFIG)),
        **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(_CONFIG)},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(_CONFIG.values())},
    )
    return git


@contextmanager
def _git_errors(git_directory: Path) -> Iterator[None]:
    """Turns git's failures into one sentence.

    Raises:
        RepositoryError: git failed, or is not installed.
    """
    from git.exc import GitCommandError, GitCommandNotFound

    try:
        yield
    except GitCommandNotFound as error:
        raise RepositoryError("git is not installed, or not on the PATH. Install git.") from error
    except (GitCommandError, OSError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().removeprefix("stderr:").strip().strip("'")
        first = said.splitlines()[0] if said else "no reason given"
        raise RepositoryError(f"git cannot read {str(git_directory)!r}: {first}.") from error


def _end(process: Any) -> None:
    """Ends a git process whose output may not have been read to its end."""
    process.proc.stdout.close()
    process.proc.stderr.close()
    process.proc.terminate()
    process.proc.wait()


def _git_directory(folder: Path) -> tuple[Path, Path | None] | None:
    """The git directory that belongs to `folder` itself, and its work tree."""
    dotgit = folder / ".git"
    try:
        if dotgit.is_file():
            target = dotgit.read_text(encoding="utf-8", errors="surrogateescape").partition("gitdir:")[2].strip()
            resolved = (folder / target).resolve()
            return (resolved, folder) if target and _is_git_directory(resolved) else None
        if _is_git_directory(dotgit):
            return dotgit.resolve(), folder
        if _is_git_directory(folder):
            return folder, folder.parent if folder.name == ".git" else None
    except (OSError, ValueError) as error:
        raise RepositoryError(f"{str(dotgit)!r} cannot be read: {error}.") from error
    return None


def _is_git_directory(folder: Path) -> bool:
    has_objects = (folder / "objects").is_dir() or (folder / "commondir").is_file()
    return has_objects and (folder / "HEAD").is_file()


def _common_directory(git_directory: Path) -> Path:
    """What all worktrees of a repository share."""
    pointer = git_directory / "commondir"
    if not pointer.is_file():
        return git_directory
    return (git_directory / pointer.read_text(encoding="utf-8", errors="surrogateescape").strip()).resolve()
