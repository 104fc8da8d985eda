"""A Qwen2 of two layers with random weights and a small byte-level tokenizer, written as a whole model folder.

It trains on a processor in seconds and goes through the very code that a real model goes through.
"""

import json
from dataclasses import asdict
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from acclimate_indexer.home import Home
from acclimate_indexer.models import MANIFEST, LocalModel
from acclimate_indexer.prompts import FimTokens

TINY = "tiny"
VOCABULARY = 512
HEADS = 4
SERVED_HEAD_SIZE = 64
TOKENS = FimTokens(
    prefix="<|fim_prefix|>",
    middle="<|fim_middle|>",
    suffix="<|fim_suffix|>",
    end_of_text="<|endoftext|>",
    repository="<|repo_name|>",
    file="<|file_sep|>",
    stops=("<|im_end|>", "<|fim_pad|>"),
)


def tiny_model(home: Home, name: str = TINY, *, head_size: int = 16, is_endless: bool = False) -> LocalModel:
    """Writes the model into the home's cache, so that `local_model(home, name)` finds it. Needs torch.

    Args:
        head_size: vLLM computes on a processor with `SERVED_HEAD_SIZE` or more.
        is_endless: It never writes a special token, and so goes on until it is stopped.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM
    from transformers import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    folder = home.model(name)
    folder.mkdir(parents=True)
    tokenizer = write_tokenizer(folder)
    torch.set_num_threads(1)  # its matrices are so small that threads only wait for one another
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=HEADS * head_size,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.token_to_id(TOKENS.end_of_text),
    )
    model = Qwen2ForCausalLM(config)
    if is_endless:  # a logit of zero is never the highest of some hundred
        with torch.no_grad():
            model.get_input_embeddings().weight[tokenizer.token_to_id(TOKENS.end_of_text) :] = 0.0
    model.save_pretrained(folder)
    return write_manifest(folder, name)


def write_tokenizer(folder: Path) -> Tokenizer:
    """A tokenizer trained on this file; Qwen's marks its FIM tokens as ordinary ones, and so does this."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([Path(__file__).read_text(encoding="utf-8")], trainer)
    tokenizer.add_special_tokens([AddedToken(TOKENS.end_of_text, special=True, normalized=False)])
    fim = [TOKENS.prefix, TOKENS.middle, TOKENS.suffix, TOKENS.repository, TOKENS.file, *TOKENS.stops]
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in fim if token])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": TOKENS.end_of_text}), encoding="utf-8"
    )
    return tokenizer


def write_manifest(folder: Path, name: str) -> LocalModel:
    """The manifest that makes the folder a whole model."""
    model = LocalModel(
        name=name,
        folder=folder,
        variant="base",
        precision="fp32",
        licence="Apache-2.0",
        source="random weights",
        revision=None,
        source_sha256="0" * 64,
        verified=False,
        converter="",
        parameters=130_000,
        fim=TOKENS,
    )
    record = {"schema": 1} | {key: value for key, value in asdict(model).items() if key != "folder"}
    (folder / MANIFEST).write_text(json.dumps(record), encoding="utf-8")
    return LocalModel.from_manifest(folder)
