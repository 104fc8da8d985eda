"""Where everything on disk lives; the only module that spells paths.

<data>/                     platformdirs' user data directory, or $ACCLIMATE_HOME; mode 0700
├── engine/                 engine.json, engine.lock, engine.log: one engine a user and machine;
│                           freed.json while nobody may start it unasked, canary.json while it sleeps
├── runtime/<version>/      the virtual environment with torch, transformers, peft and vLLM
├── training.lock           one training a machine
└── repositories/<name>-<8 hex of the git common directory>/
    ├── repository.json     which folder this is about
    ├── blobs.sqlite        what was found in single files, by git blob
    ├── feedback.jsonl      what people and imports said, for the next mining
    ├── completions.sqlite  what became of completions: taken, kept, refused
    ├── datasets/<hash>/    train.jsonl, validation.jsonl, test.jsonl, manifest.json (last)
    ├── runs/<id>/          job.json, progress.jsonl, run.log, checkpoints/
    ├── evaluations/        one JSONL a contender: results by pair, never measured twice
    ├── adapters/<version>/ a peft folder and adapter.json (last)
    ├── registry.sqlite     what changes about adapters: verdicts, figures, tags, history, which one is in use
    ├── churn.json          how many lines were new between two commits, counted before
    ├── retrain.lock        one retraining a repository
    ├── automatic.json      what was started by itself, and when
    ├── reports/<version>.html  what a person reads about an adapter; mode 0600
    ├── explanations/<name>.md  what a person reads about a review comment; mode 0600
    └── live.json           a copy of which one, for whoever looks with every request
<cache>/                    platformdirs' user cache directory, or $ACCLIMATE_HOME/cache
├── models/<name>/          config, weights, tokenizer and acclimate.json (last)
├── downloads/<name>/       parts of a model that is being fetched
├── controls/<name>/        adapters trained on code that is no repository's, for comparison
└── general/                code that is no repository's, and what base models make of it
<config>/config.toml        the user's settings, or $ACCLIMATE_HOME/config.toml
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import platformdirs

MAX_NAME_CHARACTERS = 40  # of a repository in folder and version names; the hash makes them unique


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The roots of all state. Nothing of ours is ever written inside a user's work tree."""

    data: Path
    cache: Path
    config: Path

    @classmethod
    def default(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The platform's directories, or everything under `ACCLIMATE_HOME`."""
        if root := environ.get("ACCLIMATE_HOME"):
            data = Path(root).expanduser().resolve()
            return cls(data=data, cache=data / "cache", config=data)
        return cls(
            data=platformdirs.user_data_path("acclimate"),
            cache=platformdirs.user_cache_path("acclimate"),
            config=platformdirs.user_config_path("acclimate"),
        )

    def create(self) -> Self:
        """Makes the data directory, readable by its owner alone."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        return self

    @property
    def engine_state(self) -> Path:
        """`engine.json`: pid, address, key and base of the running engine; mode 0600."""
        return self.data / "engine" / "engine.json"

    @property
    def engine_lock(self) -> Path:
        return self.data / "engine" / "engine.lock"

    @property
    def engine_log(self) -> Path:
        return self.data / "engine" / "engine.log"

    @property
    def engine_freed(self) -> Path:
        """Who wanted the engine's memory back; nobody starts one unasked while this is there."""
        return self.data / "engine" / "freed.json"

    @property
    def engine_canary(self) -> Path:
        """What the engine answered before it was put to sleep."""
        return self.data / "engine" / "canary.json"

    @property
    def training_lock(self) -> Path:
        return self.data / "training.lock"

    @property
    def settings_file(self) -> Path:
        return self.config / "config.toml"

    def runtime(self, version: str) -> Path:
        return self.data / "runtime" / version

    def model(self, name: str) -> Path:
        return self.cache / "models" / name

    def download(self, name: str) -> Path:
        return self.cache / "downloads" / name

    @property
    def controls(self) -> Path:
        """Adapters trained on code that is no repository's, for comparison."""
        return self.cache / "controls"

    @property
    def general_code(self) -> Path:
        """Pairs of code that is no repository's of the user's, made once."""
        return self.cache / "general" / "pairs"

    @property
    def general_results(self) -> Path:
        """What base models answer to questions that concern no repository."""
        return self.cache / "general" / "results"

    def for_repository(self, common_directory: Path) -> "RepositoryHome":
        """State of the repository with this resolved git common directory; worktrees share it, clones do not."""
        resolved = common_directory.resolve()
        digest = hashlib.sha256(os.fsencode(resolved)).hexdigest()[:8]
        return RepositoryHome(root=self.data / "repositories" / f"{repository_name(resolved)}-{digest}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryHome:
    """All that was derived from one repository; `acclimate forget` removes `root`."""

    root: Path

    @property
    def identity(self) -> Path:
        return self.root / "repository.json"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs.sqlite"

    @property
    def feedback(self) -> Path:
        return self.root / "feedback.jsonl"

    @property
    def completions(self) -> Path:
        """What became of completions; mode 0600."""
        return self.root / "completions.sqlite"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def adapters(self) -> Path:
        return self.root / "adapters"

    @property
    def registry(self) -> Path:
        return self.root / "registry.sqlite"

    @property
    def evaluations(self) -> Path:
        return self.root / "evaluations"

    def report(self, version: str) -> Path:
        """The page about an adapter. A version is a name that the registry knows, never a path."""
        return self.root / "reports" / f"{version}.html"

    def explanation(self, name: str) -> Path:
        """The page about a kind of review comment. A name is ours, never a path."""
        return self.root / "explanations" / f"{name}.md"

    @property
    def churn(self) -> Path:
        return self.root / "churn.json"

    @property
    def retrain_lock(self) -> Path:
        return self.root / "retrain.lock"

    @property
    def attempts(self) -> Path:
        return self.root / "automatic.json"

    @property
    def live(self) -> Path:
        return self.root / "live.json"


def repository_name(common_directory: Path) -> str:
    """A readable name from a git common directory: `~/code/shop/.git` and `shop.git` are both `shop`."""
    named = common_directory.parent if common_directory.name == ".git" else common_directory
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", named.name.removesuffix(".git")).strip("-.")
    return name[:MAX_NAME_CHARACTERS] or "repository"
