"""Questions of a task, and what became of each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from autoevol.program.sandbox import Sandbox

Message = Mapping[str, str]
"""`role` and `content`."""

Way = Literal["answer", "open", "choose", "loss"]
"""What the model does: write an answer that can be graded, or (`open`) one that a judge compares
with another's; weigh choices; or read an answer that it did not write. `choose` and `loss` need the
probabilities of tokens, which few endpoints give."""

ANSWERED_WAYS = frozenset(("answer", "open"))
"""Those that every model can do."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    Attributes:
        id: Unique in its task.
        messages: The conversation that the model continues; for `choose` one message, whose
            text stands before each choice as it is.
        key: What its grading needs.
        published: The question as its publisher has it, without what is said around it here, then
            its solutions: what no row of a training set may hold. (): what the messages say.
    """

    id: str
    messages: tuple[Message, ...]
    key: Mapping[str, Any] = field(default_factory=dict)
    published: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """The last thing said to the model."""
        return self.messages[-1]["content"]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one question.

    Attributes:
        id: Of the item.
        score: In [0, 1], higher is better; for `loss` nats a token, lower is better. None: it has
            none.
        answer: What the model wrote, or the choice that it took.
        evidence: Why the score is what it is.
        weight: Tokens that a loss is the mean of; 1 elsewhere.
    """

    id: str
    score: float | None
    answer: str = ""
    evidence: str = ""
    weight: int = 1


Answered = Sequence[tuple[Item, str]]
"""Items with the model's answers."""

Grade = Callable[[Answered, Sandbox | None], Awaitable[list[ItemResult]]]


@dataclass(frozen=True, slots=True)
class Task:
    """A set of questions.

    Attributes:
        name: As the command names it.
        way: See `Way`.
        items: In a drawn order, which a smaller set takes the first of.
        grade: Of answers; None unless the way is `answer`.
        licence: Of the questions; "": the user's own.
        needs_sandbox: Whether grading runs code.
    """

    name: str
    way: Way
    items: tuple[Item, ...]
    grade: Grade | None = None
    licence: str = ""
    needs_sandbox: bool = False
