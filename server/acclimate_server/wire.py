"""Reads the editor's messages off its pipe. What is no header ends them: where the next one begins nobody can tell.

pygls reads on, deaf to all that follows, and leaves the editor waiting; an editor whose server ends starts another.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from typing import BinaryIO, cast

from pygls.io_ import StdinAsyncReader

log = logging.getLogger(__name__)

MAX_HEADER_BYTES = 4096  # a line of a header has forty; without a bound the body of a lost message is waited for
CHUNK_BYTES = 64 * 1024  # what a pipe holds
MAX_BODY_BYTES = 1 << 30  # no document is that large, and no machine of a user has the memory for several copies

_LENGTH = re.compile(rb"content-length: *(\d{1,10}) *\r?\n", re.IGNORECASE)
_OTHER = re.compile(rb"(?!content-length:)[\w-]+:[^\r\n]*\r?\n", re.IGNORECASE)


class MessageReader(StdinAsyncReader):
    """pygls' reader for those header lines alone that are some.

    What has come is read at once: to change threads for each line takes as long as to read a message.
    """

    def __init__(self, stdin: BinaryIO, executor: ThreadPoolExecutor) -> None:
        super().__init__(stdin, executor)
        self._pipe = cast("BufferedReader", stdin)  # no other kind gives what has come without waiting for more
        self._come = b""
        self._has_length = False

    def readline(self) -> Awaitable[bytes]:
        return self._header_line()

    def readexactly(self, n: int) -> Awaitable[bytes]:
        return self._body(n)

    async def _header_line(self) -> bytes:
        """The next line of a header as pygls wants it, in capitals; nothing where the messages end."""
        if not self._has_length:
            await asyncio.sleep(0)  # what the message before has set going is begun before this one is read
        while b"\n" not in self._come and len(self._come) < MAX_HEADER_BYTES:
            if not (more := await self._in_thread(self._pipe.read1, CHUNK_BYTES)):
                break
            self._come += more
        line = self._taken(min(self._come.find(b"\n") + 1 or MAX_HEADER_BYTES, MAX_HEADER_BYTES))
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

    async def _body(self, size: int) -> bytes:
        come = self._taken(size)
        if len(come) < size:
            come += await self._in_thread(self._pipe.read, size - len(come))
        return come

    def _taken(self, size: int) -> bytes:
        taken, self._come = self._come[:size], self._come[size:]
        return taken

    async def _in_thread(self, read: Callable[[int], bytes], size: int) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self.executor, read, size)
