"""Where settings come from: read, checked against the table, and merged into one `Settings`.

Later sources win: the user's `config.toml`, `.acclimate/config.toml` of the repository, the editor, flags of the
command line. A repository's own file is untrusted input: it may set only what can neither leak code nor execute
anything.
"""

import dataclasses
import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate_indexer.home import Home
from acclimate_training.engine_address import ENGINE_KEY

from .settings import SETTINGS, Setting, Settings, shown

REPOSITORY_FILE = Path(".acclimate/config.toml")
MAX_SETTINGS_BYTES = 1024 * 1024  # a settings file is a few hundred bytes; anything larger is a mistake or an attack


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one source asks for, by full name; not yet checked."""

    source: str
    values: Mapping[str, Any]
    is_repository: bool = False

    @classmethod
    def from_document(cls, source: str, document: Mapping[str, Any], *, is_repository: bool = False) -> "Options":
        """Options from nested tables such as `{"training": {"minutes": 5}}`; dotted names are taken too."""
        return cls(source=source, values=dict(_flattened(document)), is_repository=is_repository)


def load_settings(
    home: Home,
    repository_work_tree: Path | None = None,
    editor_options: Mapping[str, Any] | None = None,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Settings, list[str]]:
    """Reads all sources and gives the settings and a warning for each thing that was wrong; never fails."""
    warnings: list[str] = []
    layers = [_file_options(home.settings_file, warnings)]
    if repository_work_tree is not None:
        layers.append(_file_options(repository_work_tree / REPOSITORY_FILE, warnings, is_repository=True))
    layers.append(Options.from_document("the editor's settings", editor_options or {}))
    layers.append(Options.from_document("the command line", flags or {}))
    settings = resolve(layers, warnings)
    if not settings.engine.key and environ.get(ENGINE_KEY):
        settings = dataclasses.replace(settings, engine=dataclasses.replace(settings.engine, key=environ[ENGINE_KEY]))
    return settings, warnings


def resolve(layers: list[Options], warnings: list[str]) -> Settings:
    """Later layers win; what is unknown, forbidden or of the wrong type is named in `warnings` and left out."""
    values: dict[str, Any] = {}
    for options in layers:
        if forbidden := [name for name in options.values if options.is_repository and not _repository_may_set(name)]:
            warnings.append(
                f"{options.source} may not set {', '.join(sorted(forbidden))}: a repository's own file sets only"
                " mining.*, evaluation.*, and of completion.* and review.* what neither leaks nor runs anything."
            )
        for name, raw in options.values.items():
            if name not in forbidden:
                _take(name, raw, options.source, values, warnings)
    return _built(values)


def _repository_may_set(name: str) -> bool:
    return name in SETTINGS and SETTINGS[name].repository_may_set


def _take(name: str, raw: Any, source: str, values: dict[str, Any], warnings: list[str]) -> None:
    row = SETTINGS.get(name)
    if row is None:
        warnings.append(f"{source}: there is no setting {name!r}; it is ignored.")
        return
    try:
        values[name] = _checked(row, raw)
    except ValueError as error:
        given = "that" if row.secret else repr(raw)
        kept = shown(values.get(name, row.default))
        warnings.append(
            f"{source}: {name} must be {error}, not {given}; {'the default' if row.secret else kept} is used."
        )


def _checked(row: Setting, raw: Any) -> Any:
    if row.type is tuple:
        if isinstance(raw, list | tuple) and all(isinstance(item, str) for item in raw):
            return tuple(raw)
        raise ValueError("a list of strings")
    if row.type is bool:
        if isinstance(raw, bool):
            return raw
        raise ValueError("true or false")
    if row.type is str:
        if isinstance(raw, str) and (not row.choices or raw.strip() in row.choices):
            return raw.strip()
        raise ValueError(f"one of {', '.join(row.choices)}" if row.choices else "a string")
    return _checked_number(row, raw)


def _checked_number(row: Setting, raw: Any) -> int | float:
    kind = "a whole number" if row.type is int else "a number"
    bound = "" if row.minimum is None else f" of at least {row.minimum:g}"
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
    is_number = is_number and math.isfinite(raw)
    is_whole = is_number and float(raw).is_integer()
    if not is_number or (row.type is int and not is_whole) or (row.minimum is not None and raw < row.minimum):
        raise ValueError(kind + bound)
    return row.type(raw)  # type: ignore[no-any-return]  # int or float, as the field says


def _built(values: dict[str, Any]) -> Settings:
    groups: dict[str, dict[str, Any]] = {}
    top: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, leaf = name.partition(".")
        if dot:
            groups.setdefault(group, {})[leaf] = value
        else:
            top[name] = value
    defaults = Settings()
    replaced = {group: dataclasses.replace(getattr(defaults, group), **leaves) for group, leaves in groups.items()}
    return dataclasses.replace(defaults, **top, **replaced)


def _file_options(path: Path, warnings: list[str], *, is_repository: bool = False) -> Options:
    document: dict[str, Any] = {}
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a file")  # noqa: TRY301  # a link to /dev/stdin would swallow the editor's wire
        with path.open("rb") as file:
            data = file.read(MAX_SETTINGS_BYTES + 1)
        if len(data) > MAX_SETTINGS_BYTES:
            raise ValueError(f"it is larger than {MAX_SETTINGS_BYTES:,} bytes")  # noqa: TRY301  # one sentence for all
        document = tomllib.loads(data.decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError, RecursionError) as error:
        warnings.append(f"{path} cannot be read and is ignored: {error}.")
    return Options.from_document(str(path), document, is_repository=is_repository)


def _flattened(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{name}.")
        elif value is not None:  # editors send null for what was never set
            yield name, value
