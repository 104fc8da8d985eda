"""What a generated doc-comment is worth: its sections, its parameters, and its words.

- *Sections*: which parts it has (parameters, returns, raises ...) against those of the true one, whatever the style:
  `Args:`, `Parameters` underlined, `:param x:`, `@param`, `\\param`, `# Arguments`, `<param>`, `- Parameter x:`.
- *Parameters*: those it names against the signature of what it documents, which is read from the code, not from the
  true comment. Judged where the generated or the true comment names parameters at all.
- *Words*: BLEU and chrF by sacrebleu (Post 2018), the marks of the comment taken off both sides.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.syntax import Symbol, syntax_of

_MARKS = re.compile(r"^[ \t]*(?:/\*\*?!?|\*/|\*(?![*\w])|//[/!]?|#(?=[ #]|$)|---?\[?\[?(?=\s|@|$))[ \t]?", re.MULTILINE)
_QUOTES = re.compile(r"^\s*[rRbBuUfF]{0,2}(?:\"\"\"|'''|\"|')|(?:\"\"\"|'''|\"|'|\*/)\s*$")

# What a section is called in the styles there are, and the one name that all are compared by.
_NAMES = {
    "parameters": "args arg arguments argument parameters parameter params param keyword_args keyword_arguments tparam",
    "returns": "returns return rtype result treturn",
    "raises": "raises raise throws throw exception exceptions except errors",
    "yields": "yields yield",
    "examples": "examples example usage",
    "attributes": "attributes attribute attrs var ivar cvar property properties fields",
    "notes": "notes note remarks remark warnings warning warns important",
    "panics": "panics",
    "safety": "safety",
    "see": "see see_also seealso references reference link",
    "deprecated": "deprecated",
    "since": "since versionadded version",
    "type_parameters": "template typeparam type_parameters tparams",
}
_SECTIONS = {word: section for section, words in _NAMES.items() for word in words.split()}
_TAG = re.compile(r"(?:^|(?<=\s))[@\\](\w+)", re.MULTILINE)  # Javadoc, JSDoc, Doxygen, YARD, PHPDoc
_FIELD = re.compile(r"^[ \t]*:(\w+)(?:[ \t]+[^:\n]*)?:", re.MULTILINE)  # reStructuredText
_ELEMENT = re.compile(r"^[ \t]*<(\w+)[^>\n]*>", re.MULTILINE)  # C#; inside of a line it is a reference
_HEADED = re.compile(r"^[ \t]*#{1,4}[ \t]+(\w[\w ]*?)[ \t]*:?[ \t]*$", re.MULTILINE)  # Rust, Markdown
_TITLED = re.compile(r"^[ \t]*([A-Z][a-z]+(?: [A-Za-z]+)?):(?=\s|$)", re.MULTILINE)  # Google
_DASHED = re.compile(r"^[ \t]*-[ \t]+([A-Z][a-z]+)(?:[ \t]+\w+)?:(?=\s|$)", re.MULTILINE)  # Swift
_UNDERLINED = re.compile(r"^[ \t]*([A-Z]\w*(?: \w+)?)[ \t]*\n[ \t]*-{3,}[ \t]*$", re.MULTILINE)  # NumPy

# One parameter, by style. A type in braces or brackets may stand before its name, and a default around it.
_TAGGED_PARAMETER = re.compile(
    r"[@\\]t?param(?:\[[\w, ]*\])?[ \t]+(?:\{[^}\n]*\}+[ \t]*|\[[A-Z][^\]\n]*\][ \t]*|[\w\\|<>\[\],?]+[ \t]+(?=[$&]))?"
    r"\[?([$&*.]*\w[\w.]*)"
)
_FIELD_PARAMETER = re.compile(r"^[ \t]*:(?:param|parameter|arg|argument|key|keyword)\b([^:\n]*):", re.MULTILINE)
_ELEMENT_PARAMETER = re.compile(r"<param\s+name=[\"'](\w+)[\"']")
_DASHED_PARAMETER = re.compile(r"^[ \t]*-[ \t]+Parameter[ \t]+(\w+)[ \t]*:", re.MULTILINE)
_LISTED = re.compile(r"^[-*][ \t]+[`*]*(\w+)[`*]*[ \t]*(?:[-:–—]|\()")
_ENTRY = re.compile(r"^`*(\*{0,2}\w+(?:[ \t]*,[ \t]*\*{0,2}\w+)*)`*[ \t]*(?:\([^\n]*\))?[ \t]*(?::|$)")

_NAME_LAST = frozenset(("java", "csharp", "c", "cpp", "php"))  # languages that put a type before its name
_RECEIVERS = frozenset(("self", "cls", "this"))
_MODIFIERS = frozenset(
    ("mut", "ref", "public", "private", "protected", "readonly", "val", "var", "vararg", "override", "inout", "dyn")
)
_WORD = re.compile(r"[^\W\d]\w*")
_BRACKETS = {"(": 1, "[": 1, "{": 1, "<": 1, ")": -1, "]": -1, "}": -1, ">": -1}
_SIGNATURE_GAP = r"\s*(?:<[^()]*>|\[[^()]*\])?\s*(?::[^=()]*)?(?:=\s*(?:async\s*)?(?:function\b[^(]*)?)?\("


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentationAssessment:
    """What one generated comment is worth, from 0 to 1; `bleu` and `chrf` from 0 to 100.

    Attributes:
        section_f1: Of the sections, against the true comment's; 1 where neither has any.
        parameter_precision: The share of the named parameters that the signature has; None where none is named.
        parameter_recall: The share of the signature's that are named; None where it has none.
        parameter_f1: Of both. All three are None where neither comment names parameters, or no signature was found.
        bleu: Of this sentence alone, smoothed; for intervals. `corpus_words` is what papers report.
        chrf: As well.
    """

    section_f1: float
    parameter_precision: float | None
    parameter_recall: float | None
    parameter_f1: float | None
    bleu: float
    chrf: float


DOCUMENTATION_FIGURES = tuple(DocumentationAssessment.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusWords:
    """BLEU and chrF over all comments at once, and sacrebleu's own words for how they were counted."""

    bleu: float
    chrf: float
    bleu_signature: str
    chrf_signature: str


def assess_documentation(pair: CompletionPair, served: str) -> DocumentationAssessment:
    """Judges the comment that was served for a documentation pair."""
    from sacrebleu.metrics import BLEU, CHRF

    given, wanted = without_marks(served), without_marks(pair.middle)
    precision, recall, f1 = _parameter_scores(given, wanted, signature_parameters(pair))
    return DocumentationAssessment(
        section_f1=_set_f1(sections(given), sections(wanted)),
        parameter_precision=precision,
        parameter_recall=recall,
        parameter_f1=f1,
        bleu=float(BLEU(effective_order=True).sentence_score(given, [wanted]).score),
        chrf=float(CHRF().sentence_score(given, [wanted]).score),
    )


def corpus_words(served: Sequence[str], true: Sequence[str]) -> CorpusWords | None:
    """The figures over all comments; None without any."""
    from sacrebleu.metrics import BLEU, CHRF

    if not served:
        return None
    given, wanted = [without_marks(text) for text in served], [without_marks(text) for text in true]
    bleu, chrf = BLEU(), CHRF()
    return CorpusWords(
        bleu=float(bleu.corpus_score(given, [wanted]).score),
        chrf=float(chrf.corpus_score(given, [wanted]).score),
        bleu_signature=str(bleu.get_signature()),
        chrf_signature=str(chrf.get_signature()),
    )


def without_marks(comment: str) -> str:
    """The text of a comment or docstring without what marks it as one, its lines as deep as they were."""
    text = _QUOTES.sub("", comment)
    return "\n".join(line.rstrip() for line in _MARKS.sub("", text).split("\n")).strip("\n")


def sections(text: str) -> frozenset[str]:
    """The sections of a comment without its marks, by the names in `_NAMES`."""
    found = (
        match[1].lower().replace(" ", "_")
        for pattern in (_TAG, _FIELD, _ELEMENT, _HEADED, _TITLED, _DASHED, _UNDERLINED)
        for match in pattern.finditer(text)
    )
    return frozenset(_SECTIONS[word] for word in found if word in _SECTIONS)


def documented_parameters(text: str) -> frozenset[str]:
    """The parameters that a comment without its marks names, stars and dollar signs left out."""
    found = [match[1].split(".")[0] if match[1][0] != "." else match[1] for match in _TAGGED_PARAMETER.finditer(text)]
    found += [match[1].split()[-1] for match in _FIELD_PARAMETER.finditer(text) if match[1].split()]
    found += _ELEMENT_PARAMETER.findall(text)
    found += _DASHED_PARAMETER.findall(text)
    found += _listed_parameters(text)
    return frozenset(word for name in found if (word := name.strip("*$&.`\\ ")) and word not in _RECEIVERS)


def _listed_parameters(text: str) -> Iterator[str]:
    """Those of a section with a head of its own: the least deep lines below it, up to where it ends."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        head, least, length = _head(line, "".join(lines[number + 1 : number + 2]))
        if _SECTIONS.get(head.lower().replace(" ", "_")) == "parameters":
            yield from _entries(lines[number + length :], least)


def _head(line: str, next_line: str) -> tuple[str, int, int]:
    """What a line heads, empty for none; how deep the entries below it are at least, and the lines that it takes."""
    if match := _UNDERLINED.match(f"{line}\n{next_line}"):
        return match[1], _depth(line), 2
    if match := _HEADED.match(line):
        return match[1], _depth(line), 1
    match = (_TITLED.match(line) or _DASHED.match(line)) if line.rstrip().endswith(":") else None
    return (match[1], _depth(line) + 1, 1) if match else ("", 0, 1)


def _entries(lines: Iterable[str], least: int) -> Iterator[str]:
    """The names that the entries of a section begin with; deeper lines go on with an entry."""
    depth: int | None = None
    was_blank = False
    for line in lines:
        if not line.strip():
            was_blank = True
            continue
        if _depth(line) < least or _HEADED.match(line) or _starts_section(line, was_blank):
            return
        depth = _depth(line) if depth is None else depth
        was_blank = False
        if _depth(line) > depth:
            continue
        if match := _LISTED.match(line.strip()) or _ENTRY.match(line.strip()):
            yield from (name.strip() for name in match[1].split(","))


def _starts_section(line: str, was_blank: bool) -> bool:
    word = line.strip().rstrip(":").lower().replace(" ", "_")
    return word in _SECTIONS and (was_blank or line.rstrip().endswith(":"))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def signature_parameters(pair: CompletionPair) -> frozenset[str] | None:
    """The parameters of the function that a pair's comment documents; None where they cannot be told.

    So it is where no function was found, and where one of its parameters is a pattern without a name.
    """
    language = language_named(pair.language)
    if language is None or language.grammar is None:
        return None
    text = pair.prefix + pair.middle + pair.suffix
    start, end = len(pair.prefix), len(pair.prefix) + len(pair.middle)
    for symbol in syntax_of(text, language).symbols:
        is_documented = symbol.doc is not None and symbol.doc.start < end and symbol.doc.end > start
        if is_documented and symbol.kind == "function":
            return _parameters_of(text[symbol.signature.start : symbol.signature.end], symbol, language.name)
    return None


def _parameters_of(signature: str, symbol: Symbol, language: str) -> frozenset[str] | None:
    opening = re.search(rf"(?<![@.\w]){re.escape(symbol.name)}{_SIGNATURE_GAP}", signature)
    if opening is None:
        return None
    names = {_parameter_name(each, language) for each in _separated(signature[opening.end() :])}
    return None if None in names else frozenset(name for name in names if name) - _RECEIVERS


def _separated(text: str) -> Iterator[str]:
    """What stands between commas up to the bracket that closes the list."""
    depth = start = 0
    for at, letter in enumerate(text):
        is_arrow = letter == ">" and text[at - 1 : at] in ("-", "=")
        depth += 0 if is_arrow else _BRACKETS.get(letter, 0)
        if depth < 0 or (letter == "," and depth == 0):
            yield text[start:at]
            start = at + 1
        if depth < 0:
            return
    yield text[start:]


def _parameter_name(parameter: str, language: str) -> str | None:
    """The name; empty for what is none, such as `*` and `void`; None for a pattern."""
    text = parameter.split("=")[0].strip()
    if text.startswith(("{", "[")):
        return None
    if language in _NAME_LAST:
        typed: list[str] = _WORD.findall(re.sub(r"\[[^\]]*\]", "", text))
        return typed[-1] if len(typed) > 1 or (typed and "$" in text) else ""
    before_type = re.sub(r"^(?:@\w+(?:\([^)]*\))?\s+)+", "", text).split(":")[0]
    words: list[str] = [word for word in _WORD.findall(before_type) if word not in _MODIFIERS]
    if not words:
        return ""
    return words[0] if language == "go" else words[-1]


def _parameter_scores(
    given: str, wanted: str, real: frozenset[str] | None
) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and their F1."""
    named = documented_parameters(given)
    if real is None or not (named or documented_parameters(wanted)):
        return None, None, None
    right = len(named & real)
    return (right / len(named) if named else None), (right / len(real) if real else None), _set_f1(named, real)


def _set_f1(given: frozenset[str], wanted: frozenset[str]) -> float:
    total = len(given) + len(wanted)
    return 2 * len(given & wanted) / total if total else 1.0
