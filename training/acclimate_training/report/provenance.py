"""The sections about where an adapter comes from: its data, its lineage, and the versions beside it."""

from typing import Any

from .figures import with_unit
from .markup import Child, Markup, element, joined, prose
from .reading import count, number, part, parts, plain, text
from .subject import Subject, candidate_of, is_withdrawn, state_words
from .tables import NOT_MEASURED, Row, beside, counts_table, facts, table

SPLITS = ("train", "validation", "test")
SPLIT_WORDS = {
    "time+file": "By time, and whole files by a hash of their path.",
    "file": "By file only: the repository is younger than 30 days, so nothing later could be held out.",
    "none": "Nothing: this version was trained on all that there was.",
    "since": "All that was committed after its data.",
}
SHORT = 12  # characters of a commit or a checksum: enough to compare by eye


def data(subject: Subject) -> Markup:
    """What was mined, what the filters dropped, and from which commits."""
    manifest = subject.manifest
    if not manifest:
        return element("p", "The data set that this version learnt from is no longer here.")
    return joined(
        facts("The data set", _dataset_facts(manifest)),
        beside(
            counts_table("Pairs by kind", "kind", part(manifest, "counts", "kind"), SPLITS),
            counts_table("Pairs by language", "language", part(manifest, "counts", "language"), SPLITS),
            counts_table("Places to complete", "place", part(manifest, "places"), SPLITS),
            _tally("Test places by age", "age", part(manifest, "strata")),
            _tally("Files", "what became of them", part(manifest, "files")),
            _tally("Pairs dropped by filters", "why", part(manifest, "dropped")),
        ),
        _secrets(manifest),
    )


def lineage(subject: Subject) -> Markup:
    """Everything that is needed to make it again."""
    record = subject.record
    recipe = part(record, "recipe")
    shown = joined(facts("Made from", _lineage_facts(record)))
    if not recipe:
        return shown
    caption = "Every number of the recipe"
    listed = facts(caption, [(name.replace("_", " "), plain(value)) for name, value in recipe.items()])
    return joined(shown, element("details", element("summary", caption), listed))


def versions(subject: Subject) -> Markup:
    """All versions, oldest first."""
    if not subject.history:
        return element("p", "No other version is known.")
    return table(
        "Versions, oldest first",
        ("version", "made", "state", "base", "steps", "exact match", "why"),
        [Row(head=_version_name(record, subject), cells=_version_cells(record)) for record in subject.history],
        numeric=False,
    )


def _dataset_facts(manifest: dict[str, Any]) -> list[tuple[str, Child]]:
    split, commit = text(manifest, "split_commit")[:SHORT], text(manifest, "commit")[:SHORT]
    learnt = f"learnt up to {split}, tested on what came after it, " if split else ""
    how = text(manifest, "split")
    with_context = count(manifest, "with_context")
    return [
        ("version", text(manifest, "hash")),
        ("commits", f"{learnt}up to {commit}" if commit else None),
        ("held out", SPLIT_WORDS.get(how, how)),
        ("pairs with retrieved context", None if with_context is None else f"{with_context:,}"),
    ]


def _tally(caption: str, first: str, counts: dict[str, Any]) -> Markup | None:
    known = {name: value for name in counts if (value := count(counts, name)) is not None}
    ordered = sorted(known.items(), key=lambda item: -item[1])
    rows = [Row(head=name.replace("_", " "), cells=(f"{value:,}",)) for name, value in ordered]
    return table(caption, (first, "n"), rows) if rows else None


def _secrets(manifest: dict[str, Any]) -> Markup | None:
    """Their number alone: where they stand is nobody's business who reads a page."""
    found = manifest.get("secrets")
    if not isinstance(found, list):
        return None
    return element("p", f"Places with a secret or personal data, none of which entered the data set: {len(found):,}.")


def _lineage_facts(record: dict[str, Any]) -> list[tuple[str, Child]]:
    base = part(record, "base")
    return [
        ("made", text(record, "created")),
        ("base model", ", ".join(filter(None, (text(base, key) for key in ("name", "variant", "precision"))))),
        ("base’s identity", text(base, "identity")),
        ("base’s checksum", text(base, "source_sha256")[:SHORT]),
        ("data set", text(part(record, "dataset"), "hash")),
        ("commit", text(part(record, "dataset"), "commit")[:SHORT]),
        ("continued from", text(record, "parent")),
        ("primer", text(record, "primer")),
        ("steps", _counted(record, "steps", "")),
        ("resumed at step", _counted(record, "resumed_at", "")),
        ("pairs trained on", _counted(record, "pairs", "")),
        ("tokens trained on", _counted(record, "tokens", "tokens")),
        ("speed", _counted(record, "tokens_per_second", "tokens/s")),
        ("duration", _duration(number(record, "seconds"))),
        ("minutes given", _counted(record, "minutes", "min")),
        ("seed", text(record, "seed")),
        ("device", text(record, "device")),
        ("hardware", text(record, "hardware")),
        ("libraries", text(record, "libraries")),
        ("prompt budget, tokens", text(record, "prompt_budget")),
        ("recipe’s fingerprint", text(record, "recipe_fingerprint")),
        ("forced", text(record, "forced")),
    ]


def _counted(record: dict[str, Any], key: str, unit: str) -> str | None:
    value = number(record, key)
    if value is None:
        return None
    return f"{value:,.{0 if value.is_integer() or value >= 1000 else 1}f} {unit}".strip()


def _duration(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.1f} min ({seconds:,.0f} s)"


def _version_name(record: dict[str, Any], subject: Subject) -> Child:
    version, tag = text(record, "version"), text(record, "tag")
    marks = {"this page": subject.version, "in use": subject.live}
    said = [words for words, marked in marks.items() if marked == version]
    return joined(version, element("small", ", ".join([*([tag] if tag else []), *said])) if tag or said else None)


def _version_cells(record: dict[str, Any]) -> list[Child]:
    exact = number(parts(record, "metrics", "contenders").get(candidate_of(record)), "exact_match")
    return [
        text(record, "created").partition("T")[0],
        state_words(record),
        text(part(record, "base"), "name"),
        _counted(record, "steps", ""),
        NOT_MEASURED if exact is None else with_unit("exact_match", exact),
        prose(text(record, "withdrawn_reason") if is_withdrawn(record) else text(part(record, "verdict"), "reason")),
    ]
