"""The report of one version: a page that needs nothing but itself, for a browser or a printer.

It runs no script, fetches nothing and may contain names and code of a repository, so its own policy forbids everything
but its one style sheet, which is named by its hash.
"""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from acclimate_indexer.durable import write_text

from .blind import blind
from .comparison import checks, contenders, documentation, general, missing, paired, strata, tiles, verdict
from .examples import examples
from .markup import Markup, element
from .payback import payback
from .provenance import data, lineage, versions
from .reading import part, text
from .reviews import reviews
from .style import STYLE
from .subject import Subject
from .training import training

Section = Callable[[Subject], Markup]

SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("checks", "The gate’s checks", checks),
    ("contenders", "Contenders", contenders),
    ("differences", "The differences that decide", paired),
    ("missing", "Not measured, and notes", missing),
    ("strata", "Where it helps and where not", strata),
    ("examples", "Won and lost, side by side", examples),
    ("blind", "Blind pairs", lambda subject: blind(subject.record)),
    ("documentation", "Documentation", documentation),
    ("reviews", "Reviews", reviews),
    ("general", "General ability", general),
    ("payback", "Prompt tokens saved, and when the training has paid back", payback),
    ("training", "Training", training),
    ("data", "Data", data),
    ("lineage", "Lineage", lineage),
    ("versions", "Versions", versions),
)


def write_report(path: Path, subject: Subject) -> None:
    """Writes the page, whole or not at all, readable by its owner alone.

    Raises:
        DiskFull: There is no room.
        OSError: It cannot be written there.
    """
    write_text(path, page(subject), mode=0o600)


def page(subject: Subject) -> str:
    """The page as text."""
    title = f"Adapter {subject.version}: {subject.state}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    body = element(
        "body",
        element("a", "Skip to the figures", href="#figures", class_="skip"),
        _header(subject),
        element("main", [_section(subject, *each) for each in SECTIONS], id="figures", tabindex="-1"),
        _footer(subject),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _header(subject: Subject) -> Markup:
    record = subject.record
    about = [
        text(record, "repository", "a repository"),
        f"on {text(part(record, 'base'), 'name', 'an unknown base')}",
        f"made {text(record, 'created').partition('T')[0]}" if text(record, "created") else "",
        "in use" if subject.live == subject.version else "",
    ]
    links = [element("li", element("a", title, href=f"#{name}")) for name, title, _ in SECTIONS]
    return element(
        "header",
        element("h1", f"Adapter {subject.version}"),
        element("p", ", ".join(filter(None, about)), class_="muted"),
        verdict(subject),
        tiles(subject),
        element("nav", element("ul", links), aria_label="Sections"),
    )


def _section(subject: Subject, name: str, title: str, section: Section) -> Markup:
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, section(subject), id=name, aria_labelledby=f"{name}-title")


def _footer(subject: Subject) -> Markup:
    code = "It shows code of the repository." if subject.with_code else "It shows no code of the repository."
    words = (
        "Written by acclimate on this machine; the page loads nothing and sends nothing. "
        f"{code} Exact match is equality after the served cut, trailing white space aside; intervals are paired "
        "bootstraps that draw whole files."
    )
    return element("footer", element("p", words))
