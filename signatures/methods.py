"""Evolving methods: a method is the optimisable state of one predictor, as a small frozen record.

The shipped methods lie in `signatures/library/`, one Markdown file each; e0's text is the docstring
of its signature. On disk a method is Markdown with YAML front matter, its demonstrations and the
defaults of its parameters in the front matter and its instructions as the body.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import dspy

from autoevol.signatures.evolve import CLOSINGS, EvolveInstruction, EvolveInstructionStepwise
from autoevol.signatures.parameters import Demonstration, Template, checked
from autoevol.signatures.strict_yaml import dump_yaml, load_yaml

Thinking = Literal["none", "steps"]
Kind = Literal["depth", "breadth", "down"]
"""A harder version of the same task, another task of its domain, or an easier version."""

Domain = Literal["general", "code", "math"]
"""What the method is written for."""

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
        domain: What the method is written for.
        system: The published system whose operator it is, in our words; "": it is our own.
        digit: The digit that stands for it in koevol's traces; "": there is none.
        template: The text with its placeholders; None: the method has no parameters.
        about: What it does, in a few words; "": nobody has said it. No part of its identity.
    """

    name: str
    instructions: str
    demonstrations: tuple[Demonstration, ...] = ()
    thinking: Thinking = "none"
    kind: Kind = "depth"
    domain: Domain = "general"
    system: str = ""
    digit: str = ""
    template: Template | None = field(default=None, compare=False, repr=False)
    about: str = field(default="", compare=False, repr=False)

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits made of the content: equal methods have equal ids."""
        content = [self.instructions, self.demonstrations, self.thinking]
        text = json.dumps(content, ensure_ascii=False)
        # A row that a demonstration shows may hold half of a surrogate pair.
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]

    @property
    def signature(self) -> type[dspy.Signature]:
        """The signature of a predictor that applies this method."""
        signature: type[dspy.Signature] = _SIGNATURES[self.thinking].with_instructions(
            self.instructions
        )
        if self.thinking == "none" and self.kind in CLOSINGS:
            closing = CLOSINGS[self.kind]
            signature = signature.with_updated_fields("evolved_instruction", desc=closing)
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

    @property
    def parameters(self) -> dict[str, str]:
        """The values that stand in its text, by parameter."""
        return self.template.values if self.template else {}

    def with_instructions(self, instructions: str, *, name: str) -> "Method":
        """Return the method with other instructions and no parameters; all the rest stays."""
        return replace(self, name=name, instructions=instructions, template=None, about="")

    @property
    def parts(self) -> tuple["Method", ...]:
        """The state of each predictor that is searched; an evolver's method is one predictor's."""
        return (self,)

    def with_part(self, index: int, part: "Method", *, name: str) -> "Method":
        """Return the method with another state of the predictor `index`, under a new name."""
        if index:
            raise ValueError(f"the method is the state of one predictor, there is no part {index}")
        return replace(part, name=name)

    def with_parameters(self, /, **values: object) -> "Method":
        """Return the method with other values in its text; a value that is not given stays.

        Demonstrations that are marked with another value of a given parameter are left out.

        Raises:
            ValueError: There is no such parameter, or the value does not fit it.
        """
        if self.template is None:
            Template(self.instructions).with_values(values)
            return self
        template = self.template.with_values(values)
        return replace(
            self,
            instructions=template.instructions,
            demonstrations=template.shown,
            template=template,
        )


def to_markdown(method: Method) -> str:
    """Return the method as Markdown with front matter, the values of its parameters in its text."""
    front: dict[str, object] = {
        **{"name": method.name, "about": method.about, "id": method.id},
        **{"kind": method.kind, "domain": method.domain},
        **{"system": method.system, "digit": method.digit, "thinking": method.thinking},
    }
    front = {key: value for key, value in front.items() if value}
    front["demonstrations"] = [
        {"instruction": before, "evolved_instruction": after}
        for before, after in method.demonstrations
    ]
    header = dump_yaml(front, width=100)
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
    template = Template(body.strip(), _demonstrations(front), _parameters(front))
    if not template.text:
        raise ValueError("the method has no instructions")
    return Method(
        name=_text("name", front.get("name", name)),
        instructions=template.instructions,
        demonstrations=template.shown,
        thinking=_one_of(Thinking, "thinking", front, "none"),
        kind=_one_of(Kind, "kind", front, "depth"),
        domain=_one_of(Domain, "domain", front, "general"),
        system=_text("system", front.get("system", "")),
        digit=_text("digit", front.get("digit", "")),
        template=template if template.defaults else None,
        about=_text("about", front.get("about", "")),
    )


def shipped_methods() -> dict[str, Method]:
    """Return the methods that come with AutoEvol, by name, their parameters at the defaults."""
    return {method.name: method for method in _library()}


@cache
def _library() -> tuple[Method, ...]:
    methods = [
        Method(
            "e0",
            EvolveInstructionStepwise.instructions,
            thinking="steps",
            about="The paper's initial method: four steps, written down",
        )
    ]
    methods += [
        from_markdown(path.read_text(encoding="utf-8"), name=path.stem)
        for path in sorted(_LIBRARY.rglob("*.md"), key=lambda path: (len(path.parts), path))
    ]
    direct = "The paper's four steps, thought silently"
    return (*methods, Method("e0-direct", EvolveInstruction.instructions, about=direct))


def _split(text: str) -> tuple[dict[str, object], str]:
    if text.startswith("---\r\n"):
        text = text.replace("\r\n", "\n")  # an editor on Windows wrote the file
    if not text.startswith("---\n"):
        return {}, text
    header, fence, body = text[4:].partition("\n---\n")
    if not fence:
        raise ValueError("the front matter must end with a line '---'")
    # Demonstrations are texts of rows, whatever characters these hold.
    # The empty line is the fence's, so that a message counts the lines of the file.
    front = load_yaml(f"\n{header}", any_character=True)
    if not isinstance(front, dict):
        raise ValueError("the front matter must be a YAML mapping between two lines '---'")
    return front, body


def _one_of(choice: Any, key: str, front: dict[str, object], default: str) -> Any:
    given = front.get(key, default)
    if given not in get_args(choice):
        raise ValueError(f"{key} must be one of {', '.join(get_args(choice))}, got {given!r}")
    return given


def _parameters(front: dict[str, object]) -> dict[str, str]:
    given = front.get("parameters") or {}
    if not isinstance(given, dict):
        raise ValueError("parameters must be a mapping of names to their defaults")
    return {str(name): _text(f"parameters.{name}", default) for name, default in given.items()}


def _demonstrations(
    front: dict[str, object],
) -> tuple[tuple[Demonstration, dict[str, str]], ...]:
    given: Any = front.get("demonstrations") or []
    try:
        return tuple(_demonstration(**each) for each in given)
    except TypeError as error:
        raise ValueError(
            "demonstrations must be a list of {instruction, evolved_instruction}"
        ) from error


def _demonstration(
    instruction: object, evolved_instruction: object, **marks: object
) -> tuple[Demonstration, dict[str, str]]:
    made_for = {name: checked(name, value) for name, value in marks.items()}
    before = _text("demonstrations: instruction", instruction)
    return (before, _text("demonstrations: evolved_instruction", evolved_instruction)), made_for


def _text(key: str, value: object) -> str:
    """Return a value of the front matter as a text; YAML takes some texts for numbers."""
    if value is None or isinstance(value, list | dict):
        raise ValueError(f"{key} must be a text, got {value!r}")
    return str(value)
