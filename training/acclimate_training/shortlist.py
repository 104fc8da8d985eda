"""The words that the labels around a middle are compared with: those of this training, and the commonest.

Every token around a middle carries a label, and comparing it with all 150,000 words would cost a third of the training.
Few of them ever occur in one repository, so the softmax runs over those alone; what the middle's labels are compared
with stays whole. Restricting the output to words that can occur is from Jean et al. 2015 (arXiv 1412.2007); that they
are the repository's own is ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import torch

from .encoding import Example

COMMONEST = 8192  # the first ids of a byte-pair vocabulary: its first merges
# Of a config: the family does something to its logits after the head.
RESHAPED = ("final_logit_softcapping", "logits_scaling", "logit_scale", "lm_head_multiplier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortlist:
    """Rows of the head, and where a word's row is.

    Attributes:
        rows: Of the head's weight, one a word of the list.
        place: One a word of the vocabulary: which row is its; -1 without one.
    """

    rows: torch.Tensor
    place: torch.Tensor

    @classmethod
    def of(cls, model: Any, examples: Iterable[Example]) -> Self | None:
        """For these examples; None where they carry no label around their middles, or the head cannot be cut."""
        words = {example.prompt[at] for example in examples for at in example.around}
        head = model.get_output_embeddings()
        if (
            not words
            or head is None
            or head.bias is not None
            or any(getattr(model.config, name, None) for name in RESHAPED)
        ):
            return None
        count = head.weight.shape[0]
        ids = torch.tensor(sorted(words | set(range(min(COMMONEST, count)))), device=head.weight.device)
        place = torch.full((count,), -1, dtype=torch.long, device=head.weight.device)
        place[ids] = torch.arange(len(ids), device=head.weight.device)
        return cls(rows=head.weight.detach()[ids], place=place)

    def nats(self, states: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """The cross entropy of words after the model's last states, one a row, within the list."""
        logits = torch.nn.functional.linear(states, self.rows)
        return torch.nn.functional.cross_entropy(logits.float(), self.place[words], reduction="none")
