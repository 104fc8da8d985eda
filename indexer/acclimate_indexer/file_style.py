"""An answer in the line ends and the indentation of the file that it goes into."""

import re

TAB_SPACES = 4  # that a model writes for a tab where it has not seen the file's own

_TAB = re.compile(r"^\t", re.MULTILINE)
_SPACES = re.compile(r"^ {2,}(?=[^\s*])", re.MULTILINE)  # a single space or a star continues a comment
_INDENT = re.compile(r"(?<=\n)[ \t]+")


def in_style_of(answer: str, *, prefix: str, suffix: str) -> str:
    """The answer as the file around the cursor writes it; a file that mixes tabs and spaces takes both.

    The answer's first line goes on the cursor's, whose indentation is there already.
    """
    if "\n" not in answer:
        return answer
    around = prefix + suffix
    spaces, has_tabs = _SPACES.findall(around), _TAB.search(around) is not None
    answer = answer.replace("\r\n", "\n")
    if has_tabs and not spaces:
        answer = _INDENT.sub(lambda indent: indent[0].replace(" " * TAB_SPACES, "\t"), answer)
    elif spaces and not has_tabs:
        answer = _INDENT.sub(lambda indent: indent[0].replace("\t", min(spaces)), answer)
    return answer.replace("\n", "\r\n") if 2 * around.count("\r\n") > around.count("\n") else answer
