"""Writes the page about one version; for the command line and for editors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acclimate_indexer.dataset import datasets
from acclimate_indexer.errors import AcclimateError, AdapterError, UsageError
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_training.registry import Adapter, AdapterRegistry
from acclimate_training.report.page import write_report
from acclimate_training.report.reading import part
from acclimate_training.report.subject import Subject

Examples = Sequence[Mapping[str, Any]]


def meant_adapter(registry: AdapterRegistry, version: str | None) -> Adapter:
    """The version asked for by its name or tag; else the one in use, else the newest.

    Raises:
        AdapterError: There is no such adapter, or none at all.
    """
    if version is not None:
        return registry.get(registry.resolve(version))
    live, versions = registry.live(), registry.versions()
    if live is None and not versions:
        raise AdapterError("This repository has no adapter yet. Make one: `acclimate adapt`.")
    return live or versions[-1]


def kept_examples(home: Home, repository_home: RepositoryHome, adapter: Adapter) -> tuple[Examples, str]:
    """The places that the evaluations have kept, and why there are none, if so."""
    from acclimate_training.evaluation.kept import examples, kept_results  # parsers take a while to import

    try:
        return examples(kept_results(home, repository_home, adapter).measured()), ""
    except AcclimateError as error:  # figures and verdict are in the record and need neither data set nor model
        return (), f"Places won and lost are left out of the report. {error}"


def report_on(adapter: Adapter, home: RepositoryHome, path: Path, examples: Examples, *, with_code: bool) -> None:
    """Writes the page about an adapter, with code of the repository only where that is asked for.

    Raises:
        UsageError: It cannot be written there.
    """
    registry = AdapterRegistry(home)
    learnt_from = part(adapter.record, "dataset").get("hash")
    manifests = (dataset.manifest for dataset in datasets(home) if dataset.hash == learnt_from)
    live = registry.live()
    subject = Subject(
        version=adapter.version,
        record=adapter.record,
        manifest=next(manifests, {}),
        examples=examples,
        history=[each.record for each in registry.versions()],
        live=None if live is None else live.version,
        with_code=with_code,
    )
    try:
        write_report(path, subject)
    except OSError as error:
        raise UsageError(
            f"The report could not be written to {str(path)!r}: {error.strerror}. Choose another file with --output."
        ) from error
