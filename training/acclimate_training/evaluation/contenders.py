"""Who is compared: three models, asked in up to three ways.

The control is an adapter of the same recipe and as many steps, trained on code that is not this repository's: most of
what an adapter seems to gain is learning the format and where to stop, and that a control learns as well.
"""

from dataclasses import dataclass
from typing import Literal

Model = Literal["base", "control", "adapter"]
Form = Literal["plain", "retrieval", "prompted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A model, and how it is asked.

    Attributes:
        form: `plain` (the file around the cursor), `retrieval` (retrieved code before it), `prompted` (the repository's
            conventions and a few examples before that).
    """

    name: str
    model: Model
    form: Form

    @property
    def needs_training_here(self) -> bool:
        """Whether this repository had to be trained on; the others are what an adapter has to beat."""
        return self.model == "adapter"


BASE = Contender(name="base", model="base", form="plain")
BASE_RETRIEVAL = Contender(name="base+retrieval", model="base", form="retrieval")
PROMPTED = Contender(name="prompted", model="base", form="prompted")
CONTROL = Contender(name="control", model="control", form="plain")
CONTROL_RETRIEVAL = Contender(name="control+retrieval", model="control", form="retrieval")
ADAPTER = Contender(name="adapter", model="adapter", form="plain")
ADAPTER_RETRIEVAL = Contender(name="adapter+retrieval", model="adapter", form="retrieval")

CONTENDERS = (BASE, BASE_RETRIEVAL, PROMPTED, CONTROL, CONTROL_RETRIEVAL, ADAPTER, ADAPTER_RETRIEVAL)
CANDIDATES = (ADAPTER, ADAPTER_RETRIEVAL)
OPPONENTS = tuple(contender for contender in CONTENDERS if not contender.needs_training_here)
SERVED = (BASE, BASE_RETRIEVAL, ADAPTER, ADAPTER_RETRIEVAL)  # what an editor may get its answers from
WITHOUT_TRAINING = (BASE, BASE_RETRIEVAL, PROMPTED)  # what is there before anything is trained

# In this order within each block of pairs: short prompts first, so that a short evaluation judges at all.
TIERS = ((BASE, CONTROL, ADAPTER), (BASE_RETRIEVAL, CONTROL_RETRIEVAL, ADAPTER_RETRIEVAL), (PROMPTED,))


def named(name: str) -> Contender:
    """The contender of this name.

    Raises:
        KeyError: There is none.
    """
    return {contender.name: contender for contender in CONTENDERS}[name]
