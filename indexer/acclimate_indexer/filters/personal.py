"""Mail addresses: personal data, which comments and licence headers carry."""

import re

from acclimate_indexer.syntax import Span

_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w.-]*[(/])")
_NOBODY = re.compile(
    r"(?:^(?:git|svn|hg|noreply|no-reply|user|users?|someone|you|your|name|foo|bar|test\w*|example|admin|root|me)@"
    r"|@(?:[\w-]+\.)*(?:example|test|localhost|invalid|local|domain|foo|bar)(?:\.\w+)?$"
    r"|\.(?:py|js|ts|go|rs|java|rb|png|jpg|svg|example|test|invalid|local)$)",
    re.IGNORECASE,
)


def personal_spans(text: str) -> list[Span]:
    """The whole lines that hold somebody's mail address, in the order of the file.

    Addresses that nobody has, such as those at example.com, do not count.
    """
    if "@" not in text:
        return []
    lines = {_line(text, match.start()) for match in _ADDRESS.finditer(text) if not _NOBODY.search(match[0])}
    return sorted(lines)


def _line(text: str, position: int) -> Span:
    after = text.find("\n", position)
    return Span(text.rfind("\n", 0, position) + 1, len(text) if after < 0 else after + 1)
