"""How predictors talk to models: a plain chat for one output field, typed adapters for several.

Field scaffolding makes small models answer the row instead of rewriting it. So a predictor with a
single text output gets none: the instructions are the system turn, demonstrations are earlier
turns, the row comes last, and the whole reply is the result. What all calls share comes first, so
that prefix caches hit.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

import dspy
from dspy.utils.exceptions import AdapterParseError

AdapterName = Literal["plain", "chat", "json", "xml"]
Messages = list[dict[str, Any]]

# Models like to put a header over the result, echoed from the prompt or in their own words.
_HEADER = re.compile(
    r"^\s*(?:[#*\[\s]*(?:the\s+)?(?:finally |final |newly )?"
    r"(?:re-?written|evolved|harder|new|optimi[sz]ed|improved)?"
    r"\s*(?:instruction|prompt|method|response|answer)[#*\]\s]*:[*\s]*)",
    re.IGNORECASE,
)
# A short first line that ends with a colon; a longer one may be the beginning of the result.
_PREAMBLE = re.compile(
    r"^(?:sure|certainly|of course|okay|here(?:'s| is| are))\b[^\n]{0,120}:\s*\n+", re.IGNORECASE
)
# A remark to the user behind a rule, at the end of a reply.
_CLOSING = re.compile(
    r"\n\s*(?:-{3,}|\*{3,}|_{3,})\s*\n\s*[*_(]*(?:let me know|feel free|i hope|would you like"
    r"|if you(?:'d| would)? (?:like|need|want))\b[^\n]*\Z",
    re.IGNORECASE,
)
# One fence around everything. A second one inside means that the text itself holds code blocks.
_FENCE = re.compile(r"^```[\w-]*[ \t]*\n((?:(?!```).)*)\n```\s*$", re.DOTALL)

# The marks of DSPy's adapters: a chat's header, an XML tag, a JSON object with an empty text.
_FIELD_MARKS = re.compile(r"\[\[ ## \w+ ## \]\]|</?[a-z_]+>|[{}]|\"\w+\"\s*:\s*\"\s*\",?")
_EMPTY_FIELD = re.compile(r"\[\[ ## (?!completed)\w+ ## \]\]\s*(?:\[\[ ## completed ## \]\]\s*)?\Z")


class PlainAdapter(dspy.Adapter):
    """A chat without scaffolding, for signatures with exactly one text output."""

    def format(
        self, signature: type[dspy.Signature], demos: list[dict[str, Any]], inputs: dict[str, Any]
    ) -> Messages:
        """Return the system turn, the demonstrations as turns, and the row as the last turn."""
        output = _only_output(signature)
        messages: Messages = [{"role": "system", "content": signature.instructions}]
        for demo in demos:
            messages.append({"role": "user", "content": _user_turn(signature, demo)})
            messages.append({"role": "assistant", "content": demo[output]})
        return [*messages, {"role": "user", "content": _user_turn(signature, inputs)}]

    async def acall(
        self,
        lm: dspy.LM,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Return the output of each reply; nothing of DSPy's own typed outputs can occur here."""
        # DSPy's own models accept messages from its base class alone; ours need nothing of it.
        if type(lm).acall is dspy.BaseLM.acall:
            replies = await super().acall(lm, lm_kwargs, signature, demos, inputs)
            return list(replies)
        replies = await lm.acall(messages=self.format(signature, demos, inputs), **lm_kwargs)
        return [self.parse(signature, reply) for reply in replies]

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """Return the whole reply as the output, without its wrapping; see `strip_wrapping`.

        A signature without a closing line has free text as its output, which stays as it is.

        Raises:
            AdapterParseError: No text is left.
        """
        text = strip_wrapping(completion) if _form(signature).closing else completion.strip()
        if not text:
            raise AdapterParseError("PlainAdapter", signature, completion, message="empty reply")
        return {_only_output(signature): text}


class _Repair:
    """Mixed into a typed adapter: after an unparsable reply it asks once more, with the error."""

    # DSPy's own remedy, one more call in JSON, is a new prompt. The repair appends two turns to the
    # old one, so that the model sees its mistake and prefix caches hit.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)  # type: ignore[misc]
        except AdapterParseError as error:
            with _repair_turns(error):
                return super().__call__(*args, **kwargs)  # type: ignore[misc]

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().acall(*args, **kwargs)  # type: ignore[misc]
        except AdapterParseError as error:
            with _repair_turns(error):
                return await super().acall(*args, **kwargs)  # type: ignore[misc]

    def format(self, *args: Any, **kwargs: Any) -> Messages:
        return [*super().format(*args, **kwargs), *_repair.get()]  # type: ignore[misc]


class RepairingChatAdapter(_Repair, dspy.ChatAdapter):
    """DSPy's chat adapter with one repair instead of the fallback to JSON."""


class RepairingJSONAdapter(_Repair, dspy.JSONAdapter):
    """DSPy's JSON adapter with one repair."""


class RepairingXMLAdapter(_Repair, dspy.XMLAdapter):
    """DSPy's XML adapter with one repair instead of the fallback to JSON."""


_PLAIN = PlainAdapter()


def adapter_for(signature: type[dspy.Signature], name: AdapterName | None) -> dspy.Adapter:
    """Return the adapter called `name`; without a name, `plain` where it fits, else `chat`."""
    if name is None:
        name = "plain" if is_plain(signature) else "chat"
    if name == "plain":
        return _PLAIN
    if name == "json":
        return RepairingJSONAdapter()
    typed = RepairingXMLAdapter if name == "xml" else RepairingChatAdapter
    return typed(use_json_adapter_fallback=False)


def is_plain(signature: type[dspy.Signature]) -> bool:
    """Tell whether `signature` has exactly one output and that is text."""
    return _form(signature).output is not None


def strip_wrapping(reply: str) -> str:
    """Return `reply` without echoed header, preamble line, closing remark or fence around it."""
    text = reply.strip()
    # In this order: a preamble comes before the fence, a header may come inside it.
    text = _PREAMBLE.sub("", text, count=1).strip()
    fenced = _FENCE.match(text)
    text = fenced.group(1).strip() if fenced else text
    text = _HEADER.sub("", text, count=1).strip()
    text = _CLOSING.sub("", text).strip()
    # Two marks in all: with more of them the outer two may belong to different quotations.
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') == 2
    return text[1:-1].strip() if is_quoted else text


def is_blank(reply: str) -> bool:
    """Tell whether a reply says nothing: it is empty, or its last field is."""
    return not _visible(reply) or _EMPTY_FIELD.search(reply) is not None


def _visible(reply: str) -> str:
    """Return what is left of a reply without the marks of fields."""
    return _FIELD_MARKS.sub("", reply).strip()


# A context variable, since one adapter object serves many calls at once.
_repair: ContextVar[tuple[dict[str, Any], ...]] = ContextVar("autoevol_repair", default=())


@contextmanager
def _repair_turns(error: AdapterParseError) -> Iterator[None]:
    expected = ", ".join(error.signature.output_fields)
    question = (
        f"That reply could not be read; it must hold the fields {expected}. "
        "Send it again, complete and in exactly the requested format."
    )
    token = _repair.set(
        (
            {"role": "assistant", "content": str(error.lm_response or "(empty)")},
            {"role": "user", "content": question},
        )
    )
    try:
        yield
    finally:
        _repair.reset(token)


class _Form(NamedTuple):
    """The parts of a signature that the plain adapter uses.

    Attributes:
        output: Name of the only output field; None: the outputs are not one text.
        closing: Last line of the user's turn, the output field's description; "": there is none.
    """

    output: str | None
    closing: str


# Each new method is a signature class of its own; weak keys let those of past candidates go.
_forms: WeakKeyDictionary[Any, _Form] = WeakKeyDictionary()


def _form(signature: type[dspy.Signature]) -> _Form:
    """Return the form of a signature, read once for each."""
    # DSPy collects `output_fields` anew at every access, too slow for what every call needs.
    form = _forms.get(signature)
    if form is None:
        form = _forms[signature] = _read_form(signature)
    return form


def _read_form(signature: type[dspy.Signature]) -> _Form:
    outputs = signature.output_fields
    if len(outputs) != 1 or next(iter(outputs.values())).annotation is not str:
        return _Form(None, "")
    name, field = next(iter(outputs.items()))
    return _Form(str(name), str(field.json_schema_extra["desc"]))


def _only_output(signature: type[dspy.Signature]) -> str:
    output = _form(signature).output
    if output is None:
        raise ValueError(
            f"the plain adapter takes one text output, {signature.__name__} has others"
        )
    return output


def _user_turn(signature: type[dspy.Signature], values: dict[str, Any]) -> str:
    closing = _form(signature).closing
    # A demonstration need not have all fields of the row: it has no system prompt.
    names = [name for name in signature.input_fields if name in values]
    if not closing:
        return "\n\n".join(str(values[name]) for name in names)
    sections = [f"{_label(name)}:\n{values[name]}" for name in names]
    return "\n\n".join([*sections, closing])


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
