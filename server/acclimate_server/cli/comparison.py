"""The table of contenders, and what it means in a sentence."""

from typing import Any

from rich.table import Table

from acclimate_training.evaluation.calibration import calibrations_of

from ..settings import CompletionSettings
from .terminal import Terminal

COLUMNS = (
    ("loss", "loss (nats/token)", 3),
    ("exact_match", "exact match", 2),
    ("edit_similarity", "edit similarity", 2),
    ("prompt_tokens", "prompt", 0),
)
WITHOUT_INTERVAL = ("prompt_tokens",)
MARKS = {True: "yes", False: "no", None: "open"}  # of a check


def show_comparison(result: dict[str, Any], terminal: Terminal) -> None:
    """The table, what moved, and the verdict with what it rests on."""
    contenders: dict[str, dict[str, Any]] = result.get("contenders") or {}
    if contenders:
        terminal.show(contenders_table(contenders, _title(result)))
    for sentence in difference_sentences(result):
        terminal.show(sentence)
    for sentence in calibration_sentences(result):
        terminal.show(sentence)
    for note in result.get("notes") or ():
        terminal.show(f"Note: {note}")
    verdict = result.get("verdict") or {}
    if verdict:
        terminal.show(f"Verdict: {verdict.get('state')}. {verdict.get('reason', '')}")
        if checks := verdict.get("checks"):
            terminal.show(checks_table(checks))


def contenders_table(contenders: dict[str, dict[str, Any]], title: str) -> Table:
    """A row a contender; a figure stands with its 95% interval and n."""
    caption = "95% intervals in brackets; prompt in tokens"
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    table.add_column("contender", no_wrap=True)
    shown = [column for column in COLUMNS if any(column[0] in figures for figures in contenders.values())]
    for _, heading, _ in shown:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for name, figures in contenders.items():
        table.add_row(name, *(figure_words(figures, key, digits) for key, _, digits in shown), _n_words(figures))
    return table


def checks_table(checks: list[dict[str, Any]]) -> Table:
    """What a promotion asks for, and what of it holds."""
    table = Table(title="What a promotion asks for", title_justify="left")
    table.add_column("holds")
    table.add_column("what was measured", overflow="fold")
    for check in checks:
        table.add_row(MARKS[check.get("passed")], str(check.get("said", "")))
    return table


def figure_words(figures: dict[str, Any], key: str, digits: int) -> str:
    """`0.175 [0.12, 0.24]`."""
    value = figures.get(key)
    if value is None:
        return "not measured"
    interval = None if key in WITHOUT_INTERVAL else figures.get(f"{key}_interval")
    around = "" if not interval else f" [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"
    return f"{value:.{digits}f}{around}"


def difference_sentences(result: dict[str, Any]) -> list[str]:
    """What the adapter differs by from base and control on the same pairs; said without flattery."""
    differences: dict[str, dict[str, Any]] = (result.get("differences") or {}).get("adapter") or {}
    sentences = []
    for opponent in ("base", "control"):
        found = differences.get(opponent) or {}
        if found.get("loss") is not None:
            sentences.append(
                f"Held-out loss, adapter less {opponent}: {_signed(found['loss'], found.get('loss_interval'))}."
            )
        if found.get("exact_match") is not None:
            exact, interval = found["exact_match"], found.get("exact_match_interval")
            sentences.append(
                f"Exact match, adapter less {opponent}: {_signed(exact, interval)}. "
                f"{_honest_words(exact, interval, opponent)}"
            )
    if result.get("contenders") and not any(found.get("n") for found in differences.values()):
        sentences.append("Nothing was generated, so exact match was not measured: there was no engine, or no time.")
    return sentences


def calibration_sentences(result: dict[str, Any]) -> list[str]:
    """How much of each contender's answers is shown while typing, by default, and how much of that is right."""
    precision = CompletionSettings().precision
    sentences = []
    for name, found in calibrations_of(result).items():
        shown = found.shown(precision)
        if shown is None:
            words = f"none of its answers: {found.n} were too seldom right"
        else:
            share, right = shown.answers / found.n, shown.right / shown.answers
            words = (
                f"{share:.0%} of its answers, and {right:.0%} of these were right "
                f"(from a confidence of {shown.confidence:.2g} on, n {found.n})"
            )
        sentences.append(f"Shown while typing (`completion.precision` {precision:g}), {name}: {words}.")
    return sentences


def _honest_words(exact: float, interval: list[float] | None, opponent: str) -> str:
    if interval is not None and interval[0] <= 0 <= interval[1]:
        return "The interval holds zero: on this many places that is no proven difference."
    if exact < 0:
        return "It fell: what the adapter learnt did not help to hit the very words."
    if opponent == "base":
        return "Much of this is the format and where to stop, which a control learns as well."
    return "That much is this repository, and not only how a hole is filled."


def _signed(value: float, interval: list[float] | None) -> str:
    around = "" if not interval else f" (95% interval {interval[0]:+.3f} to {interval[1]:+.3f})"
    return f"{value:+.3f}{around}"


def _n_words(figures: dict[str, Any]) -> str:
    """How many pairs the figures are from; the loss is measured on fewer than are answered in the end."""
    generated, losses = figures.get("n"), figures.get("loss_n")
    if losses in (None, generated):
        return str(generated)
    return f"{generated or 0}, loss {losses}"


def _title(result: dict[str, Any]) -> str:
    model = result.get("model") or {}
    about = ", ".join(str(model[key]) for key in ("name", "variant", "precision") if model.get(key))
    repository = result.get("repository", "")
    name = str(repository).rstrip("/").rpartition("/")[2]
    return f"{name} at {str(result.get('commit', ''))[:10]}: base is {about}"
