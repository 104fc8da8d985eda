"""HTML from values. Text becomes markup in one module, so nothing that a repository contains can become an element.

A `str` is text and is escaped; only `Markup`, which `element` and `escaped` make, is taken as it is.
"""

import html
import re
from collections.abc import Iterable
from typing import Any

VOID = frozenset({"meta"})  # elements without an end tag; of those that the page uses

# Characters that do not show, or reorder what does: a file name or a piece of code may contain them on purpose.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_PICTURES = 0x2400  # where Unicode has a picture of each control character


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def element(name: str, /, *children: Child, **attributes: Any) -> Markup:
    """`<name …>children</name>`. An attribute's `_` is written `-`, a final one is dropped; None leaves it out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """The children, one after the other."""
    return Markup("".join(_markup(child) for child in children))


def prose(text: str) -> Markup:
    """A sentence whose `backticks` hold something to type."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return joined(element("code", part) if index % 2 else part for index, part in enumerate(parts))


def _markup(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escaped(child)
    return joined(*child)


def escaped(text: str) -> Markup:
    """Text as HTML, in element content and in quoted attributes alike."""
    return Markup(html.escape(visible(text), quote=True))


def visible(text: str) -> str:
    """The text with everything made visible that would not show, would reorder its line or drive a terminal."""
    return _HIDDEN.sub(lambda found: _picture(ord(found[0])), text.replace("\r\n", "\n"))


def _picture(code: int) -> str:
    if code < 0x20:
        return chr(_PICTURES + code)
    if 0xD800 <= code <= 0xDFFF:
        return "\N{REPLACEMENT CHARACTER}"  # half a character: UTF-8 cannot write it
    return f"[U+{code:04X}]"
