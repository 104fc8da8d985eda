"""Findings in SARIF 2.1.0 (OASIS), which code hosts and editors read."""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from acclimate_indexer.pairs import Severity
from acclimate_indexer.review.finding import Edit, Finding
from acclimate_indexer.syntax import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "SRCROOT"  # the folder that all paths are relative to, as code hosts call it
LEVELS: Mapping[Severity, str] = {"critical": "error", "warning": "warning", "suggestion": "note"}


def sarif_log(findings: Iterable[Finding], texts: Mapping[str, str]) -> dict[str, Any]:
    """One run with all findings.

    Args:
        texts: What each path of a finding holds, with "\\n" as the line ending.
    """
    found = list(findings)
    lines = {path: _Lines(texts[path]) for path in {each.path for each in found}}
    rules = sorted({each.code for each in found})
    driver = {"name": "acclimate", "version": version("acclimate"), "rules": [{"id": code} for code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [_result(each, lines[each.path], rules) for each in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


class _Lines:
    """Where the characters of a text stand, in lines and columns from 1."""

    def __init__(self, text: str) -> None:
        self.text = text

    def region(self, span: Span) -> dict[str, int]:
        (line, column), (end_line, end_column) = self._place(span.start), self._place(span.end)
        return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}

    def line_at(self, offset: int) -> str:
        start = self.text.rfind("\n", 0, offset) + 1
        return self.text[start:].partition("\n")[0]

    def _place(self, offset: int) -> tuple[int, int]:
        return self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)


def _result(found: Finding, lines: _Lines, rules: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": rules.index(found.code),
        "level": LEVELS[found.severity],
        "message": {"text": found.message},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(found), "region": lines.region(found.span)}}],
        "partialFingerprints": {"finding/v1": _fingerprint(found, lines)},
        "properties": {
            "reviewer": found.reviewer,
            "subject": found.subject,
            "evidence": [each.commit for each in found.evidence],
        },
    }
    if found.fix:
        replacements = [_replacement(edit, lines) for edit in found.fix]
        result["fixes"] = [{"artifactChanges": [{"artifactLocation": _artifact(found), "replacements": replacements}]}]
    return result


def _replacement(edit: Edit, lines: _Lines) -> dict[str, Any]:
    return {"deletedRegion": lines.region(edit.span), "insertedContent": {"text": edit.text}}


def _artifact(found: Finding) -> dict[str, str]:
    return {"uri": quote(found.path), "uriBaseId": ROOT}


def _fingerprint(found: Finding, lines: _Lines) -> str:
    """The same for the same words about the same line, wherever that has moved to."""
    said = "\0".join((found.path, found.code, found.subject, lines.line_at(found.span.start).strip()))
    return hashlib.sha256(said.encode("utf-8", errors="replace")).hexdigest()[:32]
