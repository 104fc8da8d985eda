"""The table of contenders, and what it means in a sentence."""

from typing import Any

from rich.table import Table

from .terminal import Terminal

COLUMNS = (
    ("loss", "loss (nats/token)", 3),
    ("exact_match", "exact match", 2),
    ("exact_match_raw", "exact match, uncut", 2),
    ("edit_similarity", "edit similarity", 2),
)


def show_comparison(result: dict[str, Any], terminal: Terminal) -> None:
    """The table, what moved, and the verdict."""
    contenders: dict[str, dict[str, Any]] = result.get("contenders") or {}
    if contenders:
        terminal.show(contenders_table(contenders, _title(result)))
    for sentence in difference_sentences(result):
        terminal.show(sentence)
    for note in result.get("notes") or ():
        terminal.show(f"Note: {note}")
    verdict = result.get("verdict") or {}
    if verdict:
        terminal.show(f"Verdict: {verdict.get('state')}. {verdict.get('reason', '')}")


def contenders_table(contenders: dict[str, dict[str, Any]], title: str) -> Table:
    """A row a contender; a figure stands with its 95% interval and n."""
    table = Table(title=title, title_justify="left", caption="95% intervals in brackets", caption_justify="left")
    table.add_column("contender")
    shown = [column for column in COLUMNS if any(column[0] in figures for figures in contenders.values())]
    for _, heading, _ in shown:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for name, figures in contenders.items():
        table.add_row(name, *(figure_words(figures, key, digits) for key, _, digits in shown), _n_words(figures))
    return table


def figure_words(figures: dict[str, Any], key: str, digits: int) -> str:
    """`0.175 [0.12, 0.24]`."""
    value = figures.get(key)
    if value is None:
        return "not measured"
    interval = figures.get(f"{key}_interval")
    around = "" if not interval else f" [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"
    return f"{value:.{digits}f}{around}"


def difference_sentences(result: dict[str, Any]) -> list[str]:
    """What moved between base and adapter on the same pairs, and what that is worth; said without flattery."""
    differences: dict[str, Any] = result.get("differences") or {}
    sentences = []
    if (loss := differences.get("loss")) is not None:
        sentences.append(f"Held-out loss, adapter less base: {_signed(loss, differences.get('loss_interval'))}.")
    if (exact := differences.get("exact_match")) is not None:
        interval = differences.get("exact_match_interval")
        sentences.append(
            f"Exact match, adapter less base: {_signed(exact, interval)}. {_honest_words(exact, interval)}"
        )
    elif result.get("contenders"):
        sentences.append("Nothing was generated, so exact match was not measured: there was no engine, or no time.")
    return sentences


def _honest_words(exact: float, interval: list[float] | None) -> str:
    if interval is not None and interval[0] <= 0 <= interval[1]:
        return "The interval holds zero: on this many places that is no proven gain."
    if exact > 0:
        return (
            "Much of a first gain is the model learning the format and where to stop; only a comparison with a control"
            " adapter, which this version does not make, would show how much of it is this repository."
        )
    return "It fell: what the adapter learnt did not help to hit the very words."


def _signed(value: float, interval: list[float] | None) -> str:
    around = "" if not interval else f" (95% interval {interval[0]:+.3f} to {interval[1]:+.3f})"
    return f"{value:+.3f}{around}"


def _n_words(figures: dict[str, Any]) -> str:
    """How many pairs the figures are from; the loss is measured on others than the answers."""
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
