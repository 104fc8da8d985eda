"""Every error a user can foresee, as one tree.

    AcclimateError
    ├── UsageError                what was asked for makes no sense (exit 2)
    ├── RepositoryError           this folder cannot be mined
    ├── DatasetError              a data set is missing, damaged or too small
    │   └── TooFewPairs
    ├── ModelError                a base model cannot be had or used
    │   ├── ModelMissing
    │   ├── ModelCorrupt
    │   └── LicenceNotAccepted
    ├── RuntimeMissing            torch, vLLM and friends are not installed
    ├── TrainingError             a training cannot go on
    ├── AdapterError              an adapter is missing, damaged or made for another base
    ├── EngineError               the engine did not answer as asked
    │   ├── EngineUnavailable
    │   └── EngineRefused
    └── DiskFull                  there is no room for what was to be written

A message says what happened, with what, and what to do.
"""


class AcclimateError(Exception):
    """Something foreseeable went wrong; the message is fit for the user. Exit code 3."""

    exit_code = 3


class UsageError(AcclimateError):
    """The arguments or settings make no sense together."""

    exit_code = 2


class RepositoryError(AcclimateError):
    """The folder is no git repository, is empty, or cannot be read."""


class DatasetError(AcclimateError):
    """A data set is missing or damaged."""


class TooFewPairs(DatasetError):
    """The repository yields too few pairs to train on; `force` overrides."""

    def __init__(self, message: str, *, pairs: int, needed: int) -> None:
        super().__init__(message)
        self.pairs = pairs
        self.needed = needed


class ModelError(AcclimateError):
    """A base model cannot be had or used."""


class ModelMissing(ModelError):
    """The base model is not on this machine yet."""


class ModelCorrupt(ModelError):
    """A model's file is not what its checksum says."""


class LicenceNotAccepted(ModelError):
    """The model's licence restricts use and was not accepted."""


class RuntimeMissing(AcclimateError):
    """torch, transformers, peft or vLLM are not installed for the interpreter that needs them."""


class ReviewError(AcclimateError):
    """A reviewer could not say what it was asked for."""


class TrainingError(AcclimateError):
    """A training diverged, ran out of memory or lost its checkpoint."""


class AdapterError(AcclimateError):
    """An adapter is missing, damaged or was made for another base model."""


class EngineError(AcclimateError):
    """The engine did not answer as asked."""


class EngineUnavailable(EngineError):
    """No engine answers: it is not started, still loading, or has died."""


class EngineRefused(EngineError):
    """The engine answered with an error.

    `status` is the HTTP status, `detail` the engine's own words.
    """

    def __init__(self, message: str, *, status: int, detail: str) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


class DiskFull(AcclimateError):
    """There is no room for what was to be written."""
