"""`textDocument/publishDiagnostics`: comments of a review, as far as the client can show them."""

from lsprotocol import types

from acclimate_indexer.pairs import Severity
from acclimate_indexer.review.finding import Finding

from ..language_server import AcclimateServer
from ..review.comments import Comment, Shown
from ..review.explanations import evidence_words
from ..review.places import Places

SOURCE = "acclimate"
SEVERITIES: dict[Severity, types.DiagnosticSeverity] = {
    "critical": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "suggestion": types.DiagnosticSeverity.Information,
}
MAX_RELATED = 5  # commits: enough to believe it; the page has them all


def publish(ls: AcclimateServer, shown: Shown) -> None:
    """Tells the client what there is to say of a document, unless it knows."""
    uri, codec = shown.document.uri, ls.workspace.position_codec
    places = Places(shown.document, codec)
    diagnostics = [diagnostic(ls, comment, uri, places) for comment in shown.comments]
    if ls.published.get(uri, []) == diagnostics:
        return
    if diagnostics:
        ls.published[uri] = diagnostics
    else:
        ls.published.pop(uri, None)
    params = types.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics, version=shown.document.version)
    ls.text_document_publish_diagnostics(params)


def diagnostic(ls: AcclimateServer, comment: Comment, uri: str, places: Places) -> types.Diagnostic:
    """A comment as a diagnostic. What the client did not say that it understands is left out."""
    found, can = comment.finding, _capabilities(ls)
    where = places.range_of(found.span)
    description = types.CodeDescription(href=comment.page) if comment.page and can.code_description_support else None
    return types.Diagnostic(
        range=where,
        severity=SEVERITIES[found.severity],
        source=SOURCE,
        code=found.code,
        code_description=description,
        message=found.message,
        tags=_tags(found, can),
        related_information=_related(found, types.Location(uri=uri, range=where)) if can.related_information else None,
        data={"mark": comment.mark},
    )


def _tags(found: Finding, can: types.PublishDiagnosticsClientCapabilities) -> list[types.DiagnosticTag] | None:
    known = () if can.tag_support is None else can.tag_support.value_set
    is_shown = found.is_deprecated and types.DiagnosticTag.Deprecated in known
    return [types.DiagnosticTag.Deprecated] if is_shown else None


def _related(found: Finding, location: types.Location) -> list[types.DiagnosticRelatedInformation] | None:
    """The commits. They have no place in the file but the one that they speak about."""
    shown = found.evidence[:MAX_RELATED]
    related = [types.DiagnosticRelatedInformation(location=location, message=evidence_words(each)) for each in shown]
    return related or None


def _capabilities(ls: AcclimateServer) -> types.PublishDiagnosticsClientCapabilities:
    document = ls.client_capabilities.text_document
    stated = None if document is None else document.publish_diagnostics
    return stated or types.PublishDiagnosticsClientCapabilities()
