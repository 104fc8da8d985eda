"""Code actions on review comments: put it right, here or everywhere in the file, or have it said no more."""

from collections.abc import Iterator, Sequence

from lsprotocol import types

from acclimate_indexer.review.finding import Edit, Finding

from ..language_server import AcclimateServer
from ..review.comments import Comment, Shown
from ..review.fixing import all_fixes, ignoring_edit
from ..review.places import Places
from .diagnostics import diagnostic
from .edits import workspace_edit
from .review import DISMISS, EXPLAIN, NEVER

QUICK_FIX = types.CodeActionKind.QuickFix.value
FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.acclimate"
KINDS = (QUICK_FIX, FIX_ALL)
MAX_TITLE_CHARACTERS = 40  # of what is put in; a menu is about twice that wide


async def review_actions(ls: AcclimateServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """What can be done about the comments in a range, the best first."""
    shown = await ls.session.reviews.current(params.text_document.uri)
    if shown is None or not shown.all:
        return []
    actions = _Actions(ls, shown)
    only = params.context.only
    found = [action for comment in actions.within(params.range) for action in await actions.about(comment)]
    if only is not None:  # who asks for nothing in particular wants what concerns the cursor
        found += actions.for_file()
    return [action for action in found if only is None or any(_is_of(action.kind, kind) for kind in only)]


class _Actions:
    """The actions on one state of a document."""

    def __init__(self, ls: AcclimateServer, shown: Shown) -> None:
        self._ls = ls
        self._shown = shown
        self._places = Places(shown.document, ls.workspace.position_codec)

    def within(self, range_: types.Range) -> Iterator[Comment]:
        """The comments on lines that the range touches."""
        lines, source = self._places.lines(range_), self._shown.target.source
        for comment in self._shown.comments:
            about = source.lines(comment.finding.span)
            if about.start < lines.stop and lines.start < about.stop:
                yield comment

    async def about(self, comment: Comment) -> list[types.CodeAction]:
        """What can be done about a comment."""
        found = comment.finding
        alike = [each.finding for each in self._shown.all if _kind(each.finding) == _kind(found)]
        fixable = [each for each in alike if each.fix]
        actions = []
        if found.fix:
            actions.append(self._edit(_fix_title(found, self._shown.target.text), found.fix, comment))
            actions[0].is_preferred = found.reviewer == "conventions"
        if len(fixable) > 1:
            title = f"Put all {len(fixable)} of this kind right in this file"
            actions.append(self._edit(title, all_fixes(fixable), comment))
        language, text = self._shown.target.language, self._shown.target.text
        silencing = await self._ls.session.reviews.in_thread(ignoring_edit, text, language, found)
        actions.append(self._command("Dismiss here", DISMISS, comment))
        actions.append(self._command("Never say this again in this repository", NEVER, comment))
        if silencing is not None:
            actions.append(self._edit("Silence with a comment", (silencing,), comment))
        return [*actions, self._command("Explain", EXPLAIN, comment)]

    def for_file(self) -> list[types.CodeAction]:
        """What puts everything right that needs nobody's judgement."""
        edits = all_fixes(each.finding for each in self._shown.all if each.finding.reviewer != "model")
        if not edits:
            return []
        made = workspace_edit(self._ls, self._shown.document, self._places, edits)
        return [types.CodeAction(title="Put right what this repository does otherwise", kind=FIX_ALL, edit=made)]

    def _edit(self, title: str, edits: Sequence[Edit], comment: Comment) -> types.CodeAction:
        made = workspace_edit(self._ls, self._shown.document, self._places, edits)
        return types.CodeAction(title=title, kind=QUICK_FIX, diagnostics=self._diagnostics(comment), edit=made)

    def _command(self, title: str, command: str, comment: Comment) -> types.CodeAction:
        argument = {"uri": self._shown.document.uri, "mark": comment.mark}
        run = types.Command(title=title, command=command, arguments=[argument])
        return types.CodeAction(title=title, kind=QUICK_FIX, diagnostics=self._diagnostics(comment), command=run)

    def _diagnostics(self, comment: Comment) -> list[types.Diagnostic]:
        return [diagnostic(self._ls, comment, self._shown.document.uri, self._places)]


def _fix_title(found: Finding, text: str) -> str:
    """What the fix does at the place that is underlined."""
    here = next((edit for edit in found.fix if edit.span == found.span), None)
    if here is None or "\n" in here.text or len(here.text) > MAX_TITLE_CHARACTERS:
        return "Put it right"
    return f"Replace by `{here.text}`" if here.text else f"Take out `{text[here.span.start : here.span.end]}`"


def _kind(found: Finding) -> tuple[str, str]:
    return found.code, found.subject


def _is_of(kind: str | None, wanted: str) -> bool:
    return kind is not None and (kind == wanted or kind.startswith(f"{wanted}."))
