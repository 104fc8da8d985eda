"""The model card of an exported adapter: what it is, how it was judged, and how to load it."""

import json
from collections.abc import Mapping
from typing import Any

from .adapter_limits import RANKS

SHOWN = ("exact_match", "edit_similarity", "loss")  # of each contender's figures


def model_card(record: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Markdown with the front matter that model hubs read. `record` is an adapter's, `config` peft's."""
    base, verdict, reviews = record["base"], record["verdict"], record["review_verdict"]
    return f"""---
base_model: {_quoted(base["name"])}
library_name: peft
pipeline_tag: text-generation
tags: [lora, code, fill-in-the-middle]
---

# {record["version"]}

A LoRA adapter (rank {config.get("r")}) that completes code of the repository {_code(record["repository"])}.
It fits these weights and no others: {_code(base["identity"])} ({base.get("precision", "precision unknown")}).
Where it came from and all that was measured is in `adapter.json`.

Verdict: **{verdict["state"]}**{", withdrawn" if record.get("withdrawn") else ""}. {verdict.get("reason", "")}

Review comments: **{reviews["state"]}**. {reviews.get("reason", "")}

{_figures(record.get("metrics") or {})}{_loading(record["prompt_budget"], int(config.get("r") or 1))}"""


def _loading(budget: Mapping[str, int], rank: int) -> str:
    limit = next((allowed for allowed in RANKS if allowed >= rank), rank)
    return f"""## Loading it

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained("PATH-OF-THE-BASE-MODEL")
model = PeftModel.from_pretrained(base, "PATH-OF-THIS-FOLDER")
```

```shell
vllm serve PATH-OF-THE-BASE-MODEL --enable-lora --max-lora-rank {limit} \\
  --lora-modules adapter=PATH-OF-THIS-FOLDER
```

It was trained on fill-in-the-middle prompts: prefix first, at most {budget["prefix"]} tokens of it,
{budget["suffix"]} of the suffix and {budget["context"]} of other files.
"""


def _figures(metrics: Mapping[str, Any]) -> str:
    contenders: Mapping[str, Mapping[str, Any]] = metrics.get("contenders") or {}
    rows = [
        f"| {name} | {' | '.join(_number(figures.get(shown)) for shown in SHOWN)} | {figures.get('n', 0)} |"
        for name, figures in contenders.items()
    ]
    if not rows:
        return ""
    head = f"| contender | {' | '.join(SHOWN)} | n |\n|---|{'---|' * len(SHOWN)}---|\n"
    return f"Measured on held-out code ({metrics.get('split', 'test')}):\n\n{head}" + "\n".join(rows) + "\n\n"


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else ""


def _code(text: Any) -> str:
    return f"`{str(text).replace('`', '')}`"


def _quoted(text: Any) -> str:
    """A scalar of YAML, whatever is in it."""
    return json.dumps(str(text))
