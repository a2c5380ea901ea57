"""Tiny models with random weights and their own tokenizer, in folders that transformers reads."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NEEDS_TORCH = pytest.mark.skipif(
    not all(map(find_spec, ("torch", "transformers", "gguf", "accelerate"))),
    reason="the extra `scores` (torch, transformers) is not installed: make scores",
)

WORDS = "name the largest river of europe a lake is it danube volga compare two".split()


TEMPLATE = (
    "{% for m in messages %}{{ m.role }} \n {{ m.content }} </s> {% endfor %}"
    "{% if add_generation_prompt %}assistant \n {% endif %}"
)


def save_tokenizer(folder: Path, *, specials: tuple[str, ...] = ("<s>", "</s>")) -> int:
    """Save a tokenizer of words and line breaks; return the size of its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: n for n, word in enumerate(["<unk>", *specials, "\n", ".", *WORDS])}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split("\n", "isolated"),
            pre_tokenizers.Split(" ", "removed"),
            pre_tokenizers.Split(".", "isolated"),
        ]
    )
    names = dict(zip(("bos_token", "eos_token"), specials, strict=False))
    tokenizer: Any = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", **names)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return len(vocabulary)


def save_llama(folder: Path, *, classes: int | None = None, positions: int = 64) -> Path:
    """Save a Llama of two layers; with `classes` it is a sequence classifier. The seed is 0."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

    torch.manual_seed(0)
    config: Any = LlamaConfig(
        vocab_size=save_tokenizer(folder),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=positions,
        initializer_range=0.5,
        bos_token_id=1,
        eos_token_id=2,
        **({} if classes is None else {"num_labels": classes}),
    )
    kind = LlamaForCausalLM if classes is None else LlamaForSequenceClassification
    kind(config).save_pretrained(folder)
    return folder


def take_memory(size: int) -> None:
    """Take so many bytes in tensors of 64 MiB, as a step of a training does; give them back."""
    import torch

    # Larger than what the C library may take from memory that it holds already.
    held = [torch.ones(16 << 20) for _ in range(size >> 26)]
    del held
