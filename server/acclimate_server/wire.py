"""Reads the editor's messages off its pipe. What is no header ends them: where the next one begins nobody can tell.

pygls reads on, deaf to all that follows, and leaves the editor waiting; an editor whose server ends starts another.
"""

import logging
import re
from collections.abc import Awaitable

from pygls.io_ import StdinAsyncReader

log = logging.getLogger(__name__)

MAX_HEADER_BYTES = 4096  # a line of a header has forty; without a bound the body of a lost message is waited for
MAX_BODY_BYTES = 1 << 30  # no document is that large, and no machine of a user has the memory for several copies

_LENGTH = re.compile(rb"content-length: *(\d{1,10}) *\r?\n", re.IGNORECASE)
_OTHER = re.compile(rb"(?!content-length:)[\w-]+:[^\r\n]*\r?\n", re.IGNORECASE)


class MessageReader(StdinAsyncReader):
    """pygls' reader for those header lines alone that are some."""

    _has_length = False

    def readline(self) -> Awaitable[bytes]:
        return self._header_line()

    async def _header_line(self) -> bytes:
        """The next line of a header as pygls wants it, in capitals; nothing where the messages end."""
        line: bytes = await self.loop.run_in_executor(self.executor, self.stdin.readline, MAX_HEADER_BYTES)
        if (length := _LENGTH.fullmatch(line)) is not None and int(length[1]) <= MAX_BODY_BYTES:
            self._has_length = True
            return b"Content-Length: %d\r\n" % int(length[1])
        if not line or _OTHER.fullmatch(line) is not None:
            return line
        if line.strip() or not self._has_length:
            log.error("The editor has sent %d bytes that are no header of a message; the server ends.", len(line))
            return b""
        self._has_length = False
        return line
