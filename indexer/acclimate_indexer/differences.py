"""Reads what `git diff-tree --raw -z` and `git diff-index --raw -z` print: which files two states hold otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass

from .patches import REGULAR_MODES, readable_path

_NONE = b"000000"  # the mode of what is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A regular file that is new, or holds something else than before.

    Attributes:
        before: The blob that it held, under this path or the one that it was renamed from; None for a new file.
        after: The blob that it holds.
    """

    path: str
    before: str | None
    after: str


def differences(output: bytes) -> Iterator[Difference]:
    """What was a link or a submodule before is left out: it is not new, and it had no lines to compare with."""
    fields = iter(output.split(b"\0"))
    for about in fields:
        if not about:  # after the last one
            return
        old_mode, new_mode, old_blob, new_blob, status = about.removeprefix(b":").split()
        path = next(fields)
        if status.startswith(b"R"):
            path = next(fields)
        if new_mode in REGULAR_MODES and old_mode in (*REGULAR_MODES, _NONE):
            before = None if old_mode == _NONE else old_blob.decode()
            yield Difference(path=readable_path(path), before=before, after=new_blob.decode())
