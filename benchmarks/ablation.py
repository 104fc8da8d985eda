"""What the recipe's defaults rest on: one field changed at a time, every training given equal time.

    make bench-ablation REPOS=path [OUTPUT=file.jsonl]

All begin from the same primer, as in the product: what is compared is what they learn of the repository, and not how
soon they know the format. Equal time is time of the processor, all threads together, since other processes move it
least; on CUDA it is wall clock. A timed warm-up turns it into a step count, and the record says what
was then spent.

All are asked the same held-out pairs, of the repository's validation and test part together, without and with retrieved
code, in the default's prompts; another prompt budget also in its own. Differences are paired with the default, and
their intervals say how much the choice of pairs matters. How much chance in training does is seen in `seed 1`, which
is the default once more. A repository on which defaults were chosen this way must not be reported on.

A line is written as soon as a variant is done; a second run of the same command leaves those out.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.ablated import BASE, CLOCKS, PRIMER, Bench, Variant, ablated, most_pairs
from benchmarks.ablation_table import DEFAULT, figures, markdown
from benchmarks.material import materials, missing_runtime, model_at_hand, number_from

from acclimate_indexer.durable import write_text
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.control import SPARE
from acclimate_training.primer import PRIMER_STEPS
from acclimate_training.recipe import Recipe

SECONDS_VARIABLE, HELD_OUT_VARIABLE = "ACCLIMATE_ABLATION_SECONDS", "ACCLIMATE_BENCH_HELD_OUT"
SECONDS = 360  # of one variant's training: three minutes of two cores
HELD_OUT = 110  # two minutes a variant on two cores, both forms
RESULTS = Path(__file__).parent / "results"


def main(
    repositories: list[Path], output: Path | None = None, chosen: Callable[[Recipe], Iterable[Variant]] | None = None
) -> dict[str, Any]:
    """Trains what is not in the output yet; the figures of every variant, by repository.

    `chosen` gives the variants of a recipe; without it they are `variants`.
    """
    if skipped := missing_runtime():
        return dict(skipped)
    from acclimate_training.hardware import device

    where = device()
    seconds = float(os.environ.get(SECONDS_VARIABLE, SECONDS))
    held_out = number_from(HELD_OUT_VARIABLE, HELD_OUT)
    found: dict[str, Any] = {"clock": CLOCKS[where][0]}
    with TemporaryDirectory() as folder:
        local = model_at_hand(Path(folder))
        most = most_pairs(seconds, where)
        general = min(most, int(SPARE * PRIMER_STEPS * Recipe.for_device(where).batch))
        for material in materials(repositories, pairs=most, held_out=held_out, general=general):
            place = output or RESULTS / f"ablation-{material.name.replace(' ', '-')}.jsonl"
            bench = Bench.of(material, local, where, seconds, place.parent / ".primers")
            found[material.name] = _completed(bench, (chosen or variants)(bench.default), place)
    return found


def variants(default: Recipe) -> Iterator[Variant]:
    """What the others are compared with, then every other value of a few fields."""
    yield Variant(name=DEFAULT)
    yield Variant(name=BASE)
    yield Variant(name=PRIMER)
    yield Variant(name="seed 1", seed=1)
    values: dict[str, Sequence[Any]] = {
        "around_weight": (0.0, 0.1, 0.3),
        "retrieval_share": (0.0, 0.5),
        "learning_rate": (default.learning_rate / 2, default.learning_rate * 2),
        "layers": ("all", "upper_three_quarters", "upper_half"),
        "budget": (default.budget.scaled(0.5), default.budget.scaled(2)),
        "batch": (default.batch // 2, default.batch * 2),
    }
    for name, choices in values.items():
        for value in choices:
            if value != getattr(default, name):
                yield Variant(name=f"{name} {_shown(value)}", changes={name: value})


def _shown(value: Any) -> str:
    if isinstance(value, PromptBudget):
        return "+".join(map(str, value.to_json().values()))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _completed(bench: Bench, chosen: Iterable[Variant], output: Path) -> dict[str, Any]:
    """The figures of all variants; the table beside the output is written anew after each."""
    setting, table = bench.setting, output.with_suffix(".md")
    done = _finished(output, setting)
    for variant in chosen:
        if variant.name not in done:
            done[variant.name] = ablated(bench, variant)
            _append(output, done[variant.name])
            write_text(table, markdown(setting, done, CLOCKS[bench.where][0]))
            print(f"{variant.name} is done: {table}", file=sys.stderr)
    return figures(done)


def _finished(output: Path, setting: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The variants of this setting, by their names; a line that a kill cut short is none."""
    found: dict[str, dict[str, Any]] = {}
    if output.exists():
        for line in output.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if record["setting"] == setting:
                found[record["name"]] = record
    return found


def _append(output: Path, record: Mapping[str, Any]) -> None:
    """A line; what is there may end in the middle of one."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("a+b") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 1))
        before = b"" if file.read() in (b"", b"\n") else b"\n"
        file.write(before + json.dumps(record).encode() + b"\n")
