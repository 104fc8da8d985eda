"""SARIF 2.1.0, read back by an implementation that is not ours."""

from typing import Any

import pytest
from sarif_pydantic import Level, Sarif

from acclimate_indexer.review.finding import Edit, Evidence, Finding, fixed
from acclimate_indexer.syntax import Span
from acclimate_server.review.sarif import sarif_log

TEXT = "import os\nprice = 'ä🛒'; old_name(price)\n"
START = TEXT.index("old_name")
FOUND = Finding(
    path="src/a b#1.py",
    span=Span(START, START + len("old_name")),
    severity="warning",
    reviewer="conventions",
    code="replaced-name",
    subject="old_name",
    message="`old_name` was replaced by `new_name` in 14 places.",
    fix=(Edit(span=Span(START, START + len("old_name")), text="new_name"),),
    evidence=(Evidence(commit="1a2b3c4d"),),
)


def results(*findings: Finding, text: str = TEXT) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sarif_log(findings, {FOUND.path: text})["runs"][0]["results"]
    return found


def test_another_implementation_reads_what_is_written() -> None:
    read = Sarif.model_validate(sarif_log([FOUND], {FOUND.path: TEXT}), strict=False)
    [result] = read.runs[0].results or []
    assert result.level == Level.WARNING
    assert result.rule_id == "replaced-name"
    location = (result.locations or [])[0].physical_location
    assert location is not None
    assert location.artifact_location is not None
    assert location.artifact_location.uri == "src/a%20b%231.py"


def test_no_findings_are_a_run_without_results() -> None:
    read = Sarif.model_validate(sarif_log([], {}))
    assert read.runs[0].results == []


def test_columns_count_characters_whatever_their_width() -> None:
    [result] = results(FOUND)
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 15, "endLine": 2, "endColumn": 23}


def test_a_fix_says_what_our_own_edit_does() -> None:
    [result] = results(FOUND)
    [replacement] = result["fixes"][0]["artifactChanges"][0]["replacements"]
    lines = TEXT.split("\n")
    region = replacement["deletedRegion"]
    line = lines[region["startLine"] - 1]
    lines[region["startLine"] - 1] = (
        line[: region["startColumn"] - 1] + replacement["insertedContent"]["text"] + line[region["endColumn"] - 1 :]
    )
    assert "\n".join(lines) == fixed(TEXT, FOUND.fix)


@pytest.mark.parametrize("severity", ["critical", "warning", "suggestion"])
def test_every_severity_has_a_level(severity: Any) -> None:
    [result] = results(Finding(**{name: getattr(FOUND, name) for name in Finding.__slots__} | {"severity": severity}))
    assert result["level"] == {"critical": "error", "warning": "warning", "suggestion": "note"}[severity]


def test_a_finding_keeps_its_fingerprint_where_its_line_moves() -> None:
    moved = "# one line more\n" + TEXT
    [here], [there] = results(FOUND), results(FOUND.moved(len("# one line more\n")), text=moved)
    assert here["partialFingerprints"] == there["partialFingerprints"]
    assert here["locations"] != there["locations"]
