"""What a repository has given up, found in changed lines."""

import re

from acclimate_indexer.mining.conventions.record import Conventions, Replacement
from acclimate_indexer.syntax import Span

from .finding import Edit, Evidence, Finding
from .target import ReviewTarget


def convention_findings(target: ReviewTarget, conventions: Conventions) -> list[Finding]:
    """Names in the lines under review that this repository has replaced."""
    known = {each.old: each for each in conventions.replacements}
    if not known:
        return []
    names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(known, key=len, reverse=True)))})(?!\w)")
    starts, text = target.source.line_starts, target.text
    found = []
    for line in (number for lines in target.changed for number in lines):
        stop = starts[line + 1] if line + 1 < len(starts) else len(text)
        if text[starts[line] : stop].lstrip().startswith(target.language.comment):
            continue
        found += [
            _finding(target.path, Span(*each.span()), known[each[0]])
            for each in names.finditer(text, starts[line], stop)
        ]
    return found


def _finding(path: str, span: Span, known: Replacement) -> Finding:
    left = f"{known.remaining_uses} uses are left" if known.remaining_uses else "no other use is left"
    return Finding(
        path=path,
        span=span,
        severity="warning",
        reviewer="conventions",
        code="replaced-name",
        subject=known.old,
        message=f"`{known.old}` was replaced by `{known.new}` in {known.places} places over {known.commits} commits, "
        f"last in {known.evidence[0][:7]}; {left}.",
        fix=(Edit(span=span, text=known.new),),
        evidence=tuple(Evidence(commit=sha) for sha in known.evidence),
        is_deprecated=True,
    )
