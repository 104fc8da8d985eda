"""Where settings come from, who wins, and what is refused."""

import os
from pathlib import Path

import pytest

from acclimate_indexer.dataset import MiningOptions
from acclimate_indexer.home import Home
from acclimate_server.settings import SETTINGS, Settings, as_markdown
from acclimate_server.settings_sources import load_settings
from acclimate_training.engine_address import ENGINE_KEY


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_everything_works_without_any_file(home: Home, tmp_path: Path) -> None:
    settings, warnings = load_settings(home, tmp_path, environ={})

    assert settings == Settings()
    assert warnings == []


def test_later_sources_win(home: Home, tmp_path: Path) -> None:
    write(home.settings_file, "[evaluation]\nminutes = 1\n[training]\nminutes = 1\nseed = 1\nthreads = 1")
    write(tmp_path / ".acclimate/config.toml", "[evaluation]\nminutes = 2")
    editor = {"training": {"minutes": 3, "seed": 3}}
    flags = {"training.minutes": 4}

    settings, warnings = load_settings(home, tmp_path, editor, flags, environ={})

    assert warnings == []
    assert settings.evaluation.minutes == 2
    assert (settings.training.minutes, settings.training.seed, settings.training.threads) == (4, 3, 1)


def test_a_repository_cannot_send_code_away_or_run_anything(home: Home, tmp_path: Path) -> None:
    write(
        tmp_path / ".acclimate/config.toml",
        'adapter = "x"\n[engine]\nurl = "http://evil.example"\nkey = "k"\n[runtime]\npython = "./run-me"\n'
        '[model]\nname = "../x"\n[mining]\nexclude = ["docs/**"]\n[review]\nrules = ["a"]\n'
        'model = "never"\nenabled = false\n'
        "[completion]\nmax_tokens = 9\n"
        'languages = ["python"]',
    )

    settings, warnings = load_settings(home, tmp_path, environ={})

    assert settings.engine.url == settings.engine.key == settings.runtime.python == ""
    assert settings.model.name == "auto"
    assert settings.completion.max_tokens == Settings().completion.max_tokens
    assert settings.mining.exclude == ("docs/**",)
    assert settings.completion.languages == ("python",)
    assert settings.review.rules == ("a",)
    assert len(warnings) == 1
    assert (
        "may not set adapter, completion.max_tokens, engine.key, engine.url, model.name, review.enabled,"
        " review.model, runtime.python:" in warnings[0]
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"training": {"minutes": "long"}},
            "minutes must be a number of at least 0.1, not 'long'; 10 is used",
        ),
        ({"training": {"minutes": -1}}, "at least 0.1"),
        ({"training": {"minutes": float("inf")}}, "a number"),
        ({"training": {"seed": 1.5}}, "a whole number"),
        ({"training": {"seed": True}}, "a whole number"),
        ({"completion": {"enabled": "yes"}}, "true or false"),
        ({"completion": {"languages": "python"}}, "a list of strings"),
        ({"model": {"name": 3}}, "a string"),
        ({"no": {"such": 1}}, "there is no setting 'no.such'"),
    ],
)
def test_a_bad_value_is_one_warning_and_the_default(home: Home, options: dict[str, object], said: str) -> None:
    settings, warnings = load_settings(home, None, options, environ={})

    assert settings == Settings()
    assert len(warnings) == 1
    assert said in warnings[0]


def test_a_whole_number_may_be_written_as_a_float(home: Home) -> None:
    settings, warnings = load_settings(home, None, {"training": {"seed": 3.0}}, environ={})

    assert (settings.training.seed, warnings) == (3, [])


def test_null_and_dotted_names_are_what_editors_send(home: Home) -> None:
    settings, warnings = load_settings(home, None, {"training.seed": 5, "engine": {"url": None}}, environ={})

    assert (settings.training.seed, warnings) == (5, [])


@pytest.mark.parametrize("content", [b"= broken", b"\xff\xfe", b"a = " + b"[" * 100_000])
def test_an_unreadable_file_is_one_warning(home: Home, content: bytes) -> None:
    home.settings_file.write_bytes(content)

    settings, warnings = load_settings(home, None, environ={})

    assert settings == Settings()
    assert len(warnings) == 1
    assert "cannot be read" in warnings[0]


def test_a_settings_file_that_is_no_file_is_not_opened(home: Home, tmp_path: Path) -> None:
    (tmp_path / ".acclimate").mkdir()
    os.mkfifo(tmp_path / ".acclimate/config.toml")

    settings, warnings = load_settings(home, tmp_path, environ={})

    assert settings == Settings()
    assert "not a file" in warnings[0]


def test_the_key_comes_from_the_environment_and_is_never_shown(home: Home) -> None:
    settings, _ = load_settings(home, None, environ={ENGINE_KEY: "s3cret"})
    _, warnings = load_settings(home, None, {"engine": {"key": 12345}}, environ={})

    assert settings.engine.key == "s3cret"
    assert "s3cret" not in repr(settings)
    assert "12345" not in warnings[0]


def test_mining_overrides_are_what_differs_from_the_defaults(home: Home) -> None:
    settings, _ = load_settings(home, None, {"mining": {"exclude": ["a"], "max_file_bytes": 512 * 1024}}, environ={})

    assert settings.mining_overrides() == {"exclude": ["a"]}


def test_learning_from_feedback_is_something_to_mine(home: Home) -> None:
    settings, _ = load_settings(home, None, {"feedback": {"train": True}}, environ={})

    assert settings.mining_overrides() == {"learn_taken": True}
    assert MiningOptions.from_settings(settings.mining_overrides()).learn_taken


def test_a_setting_that_a_repository_may_set_is_never_a_matter_of_the_machine() -> None:
    assert not [row.name for row in SETTINGS.values() if row.repository_may_set and row.scope == "machine"]
    assert {row.name for row in SETTINGS.values() if row.scope == "machine"} >= {"engine.url", "runtime.python"}


def test_the_table_names_every_setting_once() -> None:
    table = as_markdown()

    assert all(table.count(f"| `{name}` |") == 1 for name in SETTINGS)
