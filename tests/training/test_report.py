"""The page about a version: honest, readable by everybody, and safe to open."""

import base64
import hashlib
import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.support.judged_reviews import review_record
from tests.support.report_sample import VERSION, example, examples, figures, manifest, metrics, record

from acclimate_training.report.blind import (
    blind_record,
)
from acclimate_training.report.examples import outcome
from acclimate_training.report.markup import VOID
from acclimate_training.report.page import SECTIONS, page, write_report
from acclimate_training.report.style import STYLE
from acclimate_training.report.subject import Subject

LEAST_CONTRAST = 4.5  # of text, WCAG 2.2 AA
LEAST_MARK_CONTRAST = 3.0  # of graphical objects
# What may stand anywhere in a record that another version or somebody else has written.
NONSENSE: tuple[Any, ...] = (None, 3, "x", [], {}, [1, None], {"a": 1}, {"a": {"b": None}}, math.nan, True, 10**400)
KEY = "AKIA" + "IOSFODNN7QXBTRLP"  # of the shape of a key, and none


@dataclass(slots=True)
class Parsed(HTMLParser):
    """What a browser would make of a page."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    open_tags: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def subject(**changes: Any) -> Subject:
    given: dict[str, Any] = {
        "version": VERSION,
        "record": record(),
        "manifest": manifest(),
        "examples": examples(),
        "history": [record("shop-20260301T090000-11aa", tag="first"), record()],
        "live": VERSION,
    }
    return Subject(**given | changes)


def parsed(about: Subject) -> Parsed:
    found = Parsed()
    found.feed(page(about))
    found.close()
    assert not found.open_tags
    return found


def test_the_page_needs_nothing_but_itself_and_forbids_the_rest() -> None:
    found = parsed(subject(with_code=True))
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

    names = {name for name, _ in found.tags}
    attributes = {name for _, each in found.tags for name in each}
    policies = [each["content"] for each in found.named("meta") if "http-equiv" in each]
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "audio", "video"}
    assert not {name for name in attributes if name.startswith("on")} and not attributes & {"src", "style", "srcset"}
    assert all(each["href"].startswith("#") for each in found.named("a"))
    assert policies == [f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"]
    assert "url(" not in STYLE and "@import" not in STYLE


def test_a_screen_reader_can_follow_the_page() -> None:
    found = parsed(subject(with_code=True))

    identifiers = [each["id"] for _, each in found.tags if "id" in each]
    referred = [name for _, each in found.tags for name in each.get("aria-labelledby", "").split()]
    linked = [each["href"].removeprefix("#") for each in found.named("a")]
    assert len(identifiers) == len(set(identifiers))
    assert set(referred) | set(linked) <= set(identifiers)
    assert len(found.named("caption")) == len(found.named("table")) > 10
    assert all(each.get("scope") in ("col", "row") for each in found.named("th"))
    assert len(found.named("svg")) == 3
    assert all(each["role"] == "img" and each["aria-labelledby"] for each in found.named("svg"))
    assert all(each["aria-label"] for _, each in found.tags if each.get("tabindex") == "0")
    assert found.named("html") == [{"lang": "en"}]
    assert found.named("a")[0]["class"] == "skip"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out_in_both_themes(theme: int) -> None:
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]+)", STYLE.split("@media")[theme]))

    for name in ("text", "muted", "strong", "good", "open", "bad"):
        assert min(contrast(colours[name], colours[under]) for under in ("ground", "raised")) >= LEAST_CONTRAST, name
    assert contrast(colours["mark"], colours["ground"]) >= LEAST_MARK_CONTRAST
    assert contrast(colours["text"], colours["hole"]) >= LEAST_CONTRAST


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_part_of_the_proof_is_on_the_page() -> None:
    text = parsed(subject()).text

    for words in (
        "Verdict: promoted",
        "5.4 points above that of control+retrieval",
        "✓ passed",
        "✗ failed",
        "– not measured",
        "The loss through vLLM was not measured.",
        "20.1 [15.7, 24.5]",
        "+5.4 [+2.0, +8.8]",
        "312 pairs could have shown a difference of about 3.4 points",
        "Not measured: loss through vLLM.",
        "near: drawn at least once in 20 times +0.010 [−0.030, +0.050] −1% 101",
        "out of reach: less than once in a hundred million times −0.190 [−0.250, −0.130] 84% 91",
        "typescript 41",
        "human-eval lines: exact match, %",
        "−1.0 [−3.0, +1.0]",
        "BLEU, of 100 8.1 14.9",
        "learnt up to e198f6e85922",
        "near duplicate 245",
        "documentation 240 13 37",
        "torch: 2.9.0, transformers: 4.57.1, peft: 0.18.0",
        "24.7 min (1,482 s)",
        "learning rate 0.0004",
        "this page, in use",
        "Nobody has judged blind pairs yet.",
    ):
        assert words in text, words
    assert "tests/test_auth.py" not in text


def test_the_loss_curve_is_drawn_told_and_listed() -> None:
    found = parsed(subject())

    lines = found.named("polyline")
    assert [each["class"] for each in lines] == ["raw", "mean", "validation"]
    assert [len(each["points"].split()) for each in lines] == [400, 400, 8]
    assert "Training loss: 1.705 nats/token at step 1, 0.976 at step 400, lowest 0.611 at step 392." in found.text
    assert "Validation loss: 1.402 nats/token at step 50" in found.text


def test_blind_pairs_are_counted_on_the_page() -> None:
    judged = blind_record({"a": "better", "b": "better", "c": "worse", "d": "tie"}, seed=3)

    text = parsed(subject(record=record(metrics=metrics() | {"blind": judged}))).text

    assert "adapter 2 1 1 1.000" in text


def test_reviews_are_told_with_verdict_opponents_budget_and_sources() -> None:
    text = parsed(subject()).text

    for words in (
        "Review comments: on",
        "Threshold: a comment is shown from a confidence of 0.900 on.",
        "It was measured on 40 corrected and 120 clean pieces of held-out code",
        "Of 120 clean hunks the adapter commented on 0; of others up to",
        "The budget is 10.0 %.",
        "the adapter 100.0 [100.0, 100.0] 75.0",
        "30 160 40 the base, prompted with rules and examples nothing said 0.0",
        "the adapter less a comment on everything",
        "seeded:missing await 8 0.0 [0.0, 0.0]",
        "ordinary 120 0.0 [0.0, 0.0]",
    ):
        assert words in text, words


def test_reviews_that_are_off_say_why_and_what_is_not_measured_yet() -> None:
    found = review_record(is_on=False, left=7)
    measured = metrics() | {"review": found["review"]}
    text = parsed(subject(record=record(**found | {"metrics": measured}))).text

    assert "Review comments: off Its reviews were measured on 160 of 167 pieces" in text
    assert "Threshold: none." in text
    assert "Not measured yet: 7 hunks" in text


def test_an_inherited_review_verdict_is_called_so() -> None:
    text = parsed(subject(record=record(verdict={"inherited_from": "shop-1"}, metrics={}))).text

    assert "Review comments: on" in text
    assert "Inherited from shop-1; figures on this page are from code that was written since." in text
    assert "No review was measured for this version." in text


def test_won_and_lost_are_shown_by_one_rule() -> None:
    text = parsed(subject()).text
    found = outcome(examples(), candidate="adapter+retrieval", opponent="control+retrieval")

    assert (len(found.won), len(found.lost), found.both, found.neither, found.asked) == (14, 4, 6, 9, 33)
    assert "Won: adapter+retrieval right, control+retrieval wrong (10 of 14 shown)" in text
    assert "Lost: control+retrieval right, adapter+retrieval wrong (4 of 4 shown)" in text
    assert [each["path"] for each in found.won] == [e["path"] for e in examples() if e in found.won]


def test_a_place_that_one_of_them_did_not_answer_counts_for_nobody() -> None:
    half = example(0, "won") | {"answers": {"adapter+retrieval": "basket.total_0(currency)"}}

    assert outcome([half], candidate="adapter+retrieval", opponent="control+retrieval").asked == 0
    assert "have answered is at hand" in parsed(subject(examples=[half])).text


def test_code_is_shown_only_with_leave() -> None:
    without, with_code = page(subject()), page(subject(with_code=True))

    assert "shop/checkout/step_" in without
    assert "charge(total)" not in without and "basket.total_" not in without and "sum(item" not in without
    assert "charge(total)" in with_code and "basket.total_" in with_code and "sum(item" in with_code


@pytest.mark.parametrize("where", ["prefix", "suffix", "answer", "middle"])
def test_a_secret_is_held_back_even_with_leave(where: str) -> None:
    planted = f'\nAWS_KEY = "{KEY}"\n'
    place = example(0, "won")
    if where == "answer":
        place["answers"]["control+retrieval"] = planted
    elif where == "middle":
        place["middle"] = place["answers"]["adapter+retrieval"] = planted
    else:
        place[where] = planted

    written = page(subject(examples=[place], with_code=True))

    assert KEY not in written
    assert "held back: it looks like a secret" in written


HOSTILE = (
    '"><script>alert(1)</script>',
    "</pre></code><img src=x onerror=alert(1)>",
    "</style><style>*{display:none}</style>",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)//' onmouseover='alert(1)",
    "<!-- ]]> &lt;b&gt; \u202emoc.live\u202c \x00\x1b[2J \ud800 \U000e0041",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_a_repository_becomes_markup(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    expected = sorted({name for name, _ in parsed(subject(with_code=True)).tags})

    about = hostile(text)
    write_report(path, about)
    found = parsed(about)

    attributes = {name for _, each in found.tags for name in each}
    assert sorted({name for name, _ in found.tags}) == expected
    assert not {name for name in attributes if name.startswith("on")} and not attributes & {"src", "style"}
    assert all(each["href"].startswith("#") for each in found.named("a"))
    assert not re.search("[\u202a-\u202e\x00\x1b\ud800-\udfff]", path.read_text(encoding="utf-8"))


def hostile(text: str) -> Subject:
    """A version whose every text is `text`."""
    evil = {name: figures(0.1, 1.0, 300) for name in (text, "base", "adapter")}
    place = example(0, "won") | {"path": text, "language": text, "place": text, "prefix": text, "suffix": text}
    place |= {"middle": text, "answers": {"adapter": text, "base": "x", text: text}}
    said = {
        "state": text,
        "reason": text,
        "inherited_from": text,
        "candidate": "adapter",
        "checks": [{"name": text, "said": text}],
    }
    measured = metrics() | {"contenders": evil, "strata": {"language": {text: evil}}, "documentation": {text: evil}}
    measured |= {
        "notes": [text],
        "not_measured": [text],
        "general": {"contenders": {text: {text: 1.0}}, "notes": [text]},
    }
    measured |= {"differences": {text: {text: {"exact_match": 0.1}}}, "split": text}
    measured |= {"review": {"reviewers": evil, "by_source": {text: {text: {"recall": 0.1}}}, "differences": {text: {}}}}
    spoilt = record(text, repository=text, base={"name": text}, hardware={text: text}, recipe={text: text})
    spoilt |= {"metrics": measured, "verdict": said, "tag": text, "created": text}
    spoilt |= {"review_verdict": said, "calibration": {"review": {"threshold": text}}}
    counts = {"counts": {"kind": {text: {"train": 1}}}, "dropped": {text: 3}, "split": text, "commit": text}
    return subject(
        version=text, record=spoilt, manifest=counts, examples=[place], history=[spoilt], live=text, with_code=True
    )


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:20])
def test_a_record_of_another_version_still_makes_a_page(value: Any) -> None:
    for key in record():
        assert "<h1>" in page(subject(record=record(**{key: value})))
    for key in metrics():
        assert "<h1>" in page(subject(record=record(metrics=metrics() | {key: value})))
    for key in manifest():
        assert "<h1>" in page(subject(manifest=manifest() | {key: value}))
    for key in example(0, "won"):
        assert "<h1>" in page(subject(examples=[example(0, "won") | {key: value}], with_code=True))


@pytest.mark.parametrize("value", [-5.0, 0.0, 1e308, -1e308])
def test_a_figure_out_of_its_range_is_drawn_all_the_same(value: float) -> None:
    odd = {"exact_match": value, "exact_match_interval": [value, -value], "loss": value, "n": 1}
    measured = {"contenders": {"base": odd, "adapter": odd}, "differences": {"adapter": {"base": odd}}}
    points = [{"step": value, "loss": value}, {"step": 1, "loss": -value}]

    assert "<h1>" in page(subject(record=record(metrics=measured, verdict={}, curve=points)))


def test_what_was_not_measured_is_said_and_not_left_out() -> None:
    text = parsed(Subject(version="v", record={"version": "v"})).text

    for words in (
        "Verdict: not judged",
        "No check of the gate is recorded",
        "No contender was measured yet.",
        "No paired difference is recorded",
        "Documentation was not measured",
        "General ability was not measured",
        "Review comments: off",
        "No review was measured for this version.",
        "were not both measured",
        "No loss curve is recorded",
        "is no longer here",
    ):
        assert words in text, words
    assert all(title in text for _, title, _ in SECTIONS)


def test_a_rejected_or_withdrawn_version_says_why() -> None:
    rejected = {"state": "rejected", "reason": "Inconclusive: 60 pairs could have shown 8.1 points."}
    text = parsed(subject(record=record(verdict=rejected, withdrawn=True, withdrawn_reason="Slow."))).text

    assert "Verdict: rejected, withdrawn" in text
    assert "Withdrawn: Slow. Inconclusive: 60 pairs could have shown 8.1 points." in text


def test_the_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "v.html"
    write_report(path, subject())
    write_report(path, subject(with_code=True))

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert [each.name for each in path.parent.iterdir()] == ["v.html"]


def test_the_same_version_gives_the_same_bytes() -> None:
    assert page(subject()) == page(subject())
