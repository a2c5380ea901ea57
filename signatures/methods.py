"""Evolving methods: a method is the optimisable state of one predictor, as a small frozen record.

The shipped methods lie in `signatures/library/`, one Markdown file each; e0's text is the docstring
of its signature. On disk a method is Markdown with YAML front matter, its demonstrations in the
front matter and its instructions as the body.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import dspy
import yaml

from signatures.evolve import EvolveInstruction, EvolveInstructionStepwise

Thinking = Literal["none", "steps"]
Kind = Literal["depth", "breadth", "down"]
"""A harder version of the same task, another task of its domain, or an easier version."""

Demonstration = tuple[str, str]
"""An instruction and its evolved instruction."""

_SIGNATURES: dict[Thinking, type[dspy.Signature]] = {
    "none": EvolveInstruction,
    "steps": EvolveInstructionStepwise,
}
_LIBRARY = Path(__file__).parent / "library"


@dataclass(frozen=True)
class Method:
    """An evolving method e: instructions, demonstrations and thinking mode.

    Attributes:
        name: What people call it; no part of its identity.
        instructions: The text that an optimiser rewrites.
        demonstrations: Pairs of instruction and evolved instruction, shown before the row.
        thinking: "none": the reply is the result; "steps": a thinking field comes first.
        kind: Where the method leads, and so which failure rules apply; no part of its identity.
    """

    name: str
    instructions: str
    demonstrations: tuple[Demonstration, ...] = ()
    thinking: Thinking = "none"
    kind: Kind = "depth"

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits made of the content: equal methods have equal ids."""
        content = [self.instructions, self.demonstrations, self.thinking]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:12]

    @property
    def signature(self) -> type[dspy.Signature]:
        """The signature of a predictor that applies this method."""
        signature: type[dspy.Signature] = _SIGNATURES[self.thinking].with_instructions(
            self.instructions
        )
        return signature

    @property
    def text(self) -> str:
        """Everything of the method that a rewrite could copy from."""
        return "\n".join(
            [self.instructions, *(part for pair in self.demonstrations for part in pair)]
        )

    @property
    def demonstrated(self) -> str:
        """The evolved instructions that its demonstrations show, a line each."""
        return "\n".join(evolved for _, evolved in self.demonstrations)

    def with_instructions(self, instructions: str, *, name: str) -> "Method":
        """Return the method with other instructions; all the rest stays."""
        return replace(self, name=name, instructions=instructions)


def to_markdown(method: Method) -> str:
    """Return the method as Markdown with front matter."""
    front: dict[str, object] = {
        **{"name": method.name, "id": method.id, "kind": method.kind},
        "thinking": method.thinking,
    }
    front["demonstrations"] = [
        {"instruction": before, "evolved_instruction": after}
        for before, after in method.demonstrations
    ]
    header = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=100)
    return f"---\n{header}---\n{method.instructions}\n"


def from_markdown(text: str, *, name: str) -> Method:
    """Return the method written in `text`; a text without front matter is all instructions.

    Args:
        text: What `to_markdown` wrote, or plain instructions.
        name: The method's name if the front matter gives none.

    Raises:
        ValueError: The front matter is malformed, or there are no instructions.
    """
    front, body = _split(text)
    instructions = body.strip()
    if not instructions:
        raise ValueError("the method has no instructions")
    return Method(
        name=str(front.get("name", name)),
        instructions=instructions,
        demonstrations=_demonstrations(front),
        thinking=_one_of(Thinking, "thinking", front, "none"),
        kind=_one_of(Kind, "kind", front, "depth"),
    )


def shipped_methods() -> dict[str, Method]:
    """Return the methods that come with AutoEvol, by name."""
    methods = [Method("e0", EvolveInstructionStepwise.instructions, thinking="steps")]
    methods += [
        from_markdown(path.read_text(encoding="utf-8"), name=path.stem)
        for path in sorted(_LIBRARY.glob("*.md"))
    ]
    direct = Method("e0-direct", EvolveInstruction.instructions)
    return {method.name: method for method in [*methods, direct]}


def _split(text: str) -> tuple[dict[str, object], str]:
    if not text.startswith("---\n"):
        return {}, text
    header, fence, body = text[4:].partition("\n---\n")
    front = yaml.safe_load(header)
    if not fence or not isinstance(front, dict):
        raise ValueError("the front matter must be a YAML mapping between two lines '---'")
    return front, body


def _one_of(choice: Any, key: str, front: dict[str, object], default: str) -> Any:
    given = front.get(key, default)
    if given not in get_args(choice):
        raise ValueError(f"{key} must be one of {', '.join(get_args(choice))}, got {given!r}")
    return given


def _demonstrations(front: dict[str, object]) -> tuple[Demonstration, ...]:
    pairs: Any = front.get("demonstrations") or []
    try:
        return tuple((str(p["instruction"]), str(p["evolved_instruction"])) for p in pairs)
    except (TypeError, KeyError) as error:
        raise ValueError(
            "demonstrations must be a list of {instruction, evolved_instruction}"
        ) from error
