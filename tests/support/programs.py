"""Programs with a known truth: tickets whose category a scripted model knows from its orders.

Each order (a sentence with a colon) that the method holds teaches the model one category; without
it the model answers "unknown". So the true failure rate of a method is known.
"""

import re
from collections.abc import Callable
from typing import Any

import dspy
from dspy.utils.callback import with_callbacks

from autoevol.program.calls import CallRecord, report_call

Reply = Callable[[str, str, int], str]
"""Takes the system turn, the last turn and the draw; returns the reply."""

CATEGORIES = ("billing", "delivery", "login", "refund")
ORDERS = {name: f"Sort word-{name}: {name}." for name in CATEGORIES}
"""The order that teaches each category."""

_TEXT = {
    "billing": "The invoice shows an amount that nobody here can explain",
    "delivery": "Our parcel has been on its way for many days now",
    "login": "The page refuses the password that worked a week ago",
    "refund": "We sent the chair back and still wait for money",
}


class ScriptedLM(dspy.BaseLM):
    """Replies by a function; keeps each call's system turn and draw.

    Copies share the lists, as DSPy copies a model for another draw.
    """

    def __init__(self, reply: Reply, **kwargs: Any) -> None:
        super().__init__("scripted/tickets", **kwargs)
        self.reply = reply
        self.systems: list[str] = []
        self.draws: list[int] = []

    def __deepcopy__(self, memo: object) -> "ScriptedLM":
        """Return the model itself, which counts the calls."""
        return self

    def launch(self) -> None:
        """Start nothing: `dspy.BetterTogether` starts and ends its models."""

    def kill(self) -> None:
        """End nothing."""

    @with_callbacks
    def __call__(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        """Return one reply."""
        return self._answer(messages, {**self.kwargs, **kw})

    @with_callbacks
    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        """Return one reply."""
        return self._answer(messages, {**self.kwargs, **kw})

    def _answer(self, messages: Any, kwargs: dict[str, Any]) -> list[str]:
        draw = kwargs.get("rollout_id") or 0
        self.systems.append(messages[0]["content"])
        self.draws.append(draw)
        text = self.reply(messages[0]["content"], messages[-1]["content"], draw)
        report_call(CallRecord("", self.model, text, False, False, 1, 0, 0, 1, 0.0, None))
        return [text]


def classify(system: str, user: str) -> str:
    """Return the category that the orders in the system turn teach, in DSPy's chat format."""
    category = next(name for name, text in _TEXT.items() if text in user)
    answer = category if f"word-{category}" in system else "unknown"
    return field("category", answer)


def field(name: str, value: str) -> str:
    """Return one output field in the format of DSPy's chat adapter."""
    return f"[[ ## {name} ## ]]\n{value}\n\n[[ ## completed ## ]]"


def model(proposals: Callable[[str, int], str] | None = None, **kwargs: Any) -> ScriptedLM:
    """Return a model that classifies, analyses and proposes.

    Args:
        proposals: From the present method and a draw to the new method; None: adds the order of
            the category that the draw selects.
        **kwargs: Settings of the model, such as `temperature`.
    """

    def reply(system: str, user: str, draw: int) -> str:
        if system.startswith("You review a method: the orders that one step"):
            return "general: say which words decide"
        if system.startswith(("You improve a method: the orders", "You merge", "You shorten")):
            match = re.search(r"[Mm]ethod:\n(.*?)\n\n", user, re.DOTALL)
            assert match, user
            return (proposals or taught)(match[1], draw)
        return classify(system, user)

    return ScriptedLM(reply, **kwargs)


def taught(method: str, draw: int) -> str:
    """Return the method with one more order."""
    return f"{method} {ORDERS[CATEGORIES[draw % len(CATEGORIES)]]}"


def tickets(count: int, first: int = 0) -> list[dspy.Example]:
    """Return tickets, the categories in turn, none twice."""
    names = [CATEGORIES[i % len(CATEGORIES)] for i in range(first, first + count)]
    return [
        dspy.Example(ticket=f"{_TEXT[name]}, number {i}.", category=name).with_inputs("ticket")
        for i, name in enumerate(names, first)
    ]


def sets(train: int = 12, dev: int = 16, fresh: int = 0) -> dict[str, list[dspy.Example]]:
    """Return disjoint sets of tickets as the arguments of `compile`."""
    return {
        "trainset": tickets(train, 1000),
        "valset": tickets(dev, 2000),
        "freshset": tickets(fresh, 3000),
    }


def exact(example: dspy.Example, prediction: Any, trace: Any = None) -> bool:
    """Return whether the category is right."""
    return bool(example.category == prediction.category)
