"""A file's text as mining, training, retrieval and serving all read it, however it is written.

Many a repository holds "\\n" where the work tree has "\\r\\n" (git's `core.autocrlf`, `eol=crlf`), and a model that has
learnt the one is not to be asked with the other.
"""


def uniform(text: str) -> str:
    """The text with "\\n" for "\\r\\n", and U+FFFD for lone surrogates, which an editor may send and no file holds.

    A lone "\\r" stays: to git and to the parsers it ends no line. A text with nothing to change is given as it is.
    """
    try:
        if not text.isascii():
            text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\r\n", "\n") if "\r" in text else text


def line_ending(text: str) -> str:
    """What most lines of a text end with: "\\r\\n" or "\\n"."""
    windows = text.count("\r\n") if "\r" in text else 0
    return "\r\n" if windows and 2 * windows > text.count("\n") else "\n"
