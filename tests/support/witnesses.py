"""Scripted witnesses: stand-ins for models whose answers in the exam are known."""

from collections.abc import Sequence
from typing import Any

import dspy

from autoevol.program.witnesses.exam import Exam, Item, exam

ANSWERS = {
    "equal": ("[[ ## are_equal ## ]]\nTrue", "[[ ## are_equal ## ]]\nFalse"),
    "nothing_added": ("none", "{quotation}"),
    "analysis": (
        "[[ ## reason ## ]]\nadds nothing\n\n[[ ## has_failed ## ]]\nTrue",
        "[[ ## reason ## ]]\nnone\n\n[[ ## has_failed ## ]]\nFalse",
    ),
    "defects": ('[[ ## defects ## ]]\n["contradiction", "unclear"]', "[[ ## defects ## ]]\n[]"),
    "impossible": (
        "[[ ## finding ## ]]\n3 of 2 are red\n\n[[ ## failed_check ## ]]\nconsistency",
        "[[ ## finding ## ]]\nnone\n\n[[ ## failed_check ## ]]\nnone",
    ),
    "demands_no_more": (
        "[[ ## difference ## ]]\nnone\n\n[[ ## more_demanding ## ]]\nsame",
        "[[ ## difference ## ]]\na table\n\n[[ ## more_demanding ## ]]\n{place}",
    ),
}
"""A judge's reply to each question: with and without a fault."""


class ScriptedJudge(dspy.LM):
    """A judge that gives one answer to all rows, and errs on some items of its exam.

    Args:
        rule: The question that it answers.
        finds_fault: Whether it flags rows.
        errs: Rewrites of the exam about which it is wrong.
        paper: The exam that it takes.
        always: The place of the text that it prefers in all pairs of rows; "": it goes by content.

    Attributes:
        rows_asked: Questions about rows.
        items_asked: Questions about items.
        temperatures: Of all calls.
    """

    def __init__(
        self,
        rule: str,
        *,
        finds_fault: bool,
        errs: Sequence[str] = (),
        paper: Exam | None = None,
        always: str = "",
    ) -> None:
        super().__init__("openai/none", cache=False)
        self.fault, self.none = ANSWERS[rule]
        self.is_plain = "[[" not in self.fault
        self.finds_fault, self.errs, self.always = finds_fault, errs, always
        self.items = (paper or exam()).items
        self.rows_asked = self.items_asked = 0
        self.temperatures: list[float | None] = []

    async def acall(self, *_: Any, messages: list[dict[str, Any]], **settings: Any) -> list[str]:
        user = messages[-1]["content"]
        item = item_in(user, self.items)
        self.items_asked += item is not None
        self.rows_asked += item is None
        self.temperatures.append(settings.get("temperature"))
        is_fault = self.finds_fault if item is None else self._flags(item)
        place = self.always if self.always and item is None else place_of_rewrite(user, item)
        reply = self.fault if is_fault else self.none
        reply = reply.format(quotation=last_words(user), place=place)
        return [reply if self.is_plain else f"{reply}\n\n[[ ## completed ## ]]"]

    def _flags(self, item: Item) -> bool:
        return item.is_sound == (item.rewrite in self.errs)


class ScriptedSolver(dspy.LM):
    """A solver that knows the exam, and gives these results to a row, one after the other."""

    def __init__(self, results: Sequence[str], errs: Sequence[str] = ()) -> None:
        super().__init__("openai/none", cache=False)
        self.results, self.errs = list(results), errs
        self.rows_asked = 0

    async def acall(self, *_: Any, messages: list[dict[str, Any]], **settings: Any) -> list[str]:
        item = item_in(messages[-1]["content"], exam().items)
        if item is None:
            self.rows_asked += 1
            return [f"Answer: {self.results[(self.rows_asked - 1) % len(self.results)]}"]
        if item.rewrite in self.errs:
            return [f"Answer: {settings['rollout_id']}"]
        return [f"Answer: {item.answer or 'impossible'}"]


def item_in(user: str, items: Sequence[Item]) -> Item | None:
    """Return the item that a question is about; None: it is about a row."""
    return next((item for item in items if item.rewrite in user), None)


def place_of_rewrite(user: str, item: Item | None) -> str:
    """Return where a rewrite stands in a question about two tasks; of a row it is the longer."""
    first, _, second = user.rpartition("[[ ## second_task ## ]]")
    if item is not None:
        return "second" if item.rewrite in second else "first"
    first = first.rpartition("[[ ## first_task ## ]]")[2]
    second = second.split("\n\n")[0]
    return "second" if len(second) > len(first) else "first"


def last_words(user: str) -> str:
    """Return the end of the rewrite that a judge is shown."""
    rewrite = user.split("Rewrite:\n", 1)[-1].split("\n\n")[0]
    return rewrite[-20:]


def sound_items(rule_topics: Sequence[str], group: str, count: int) -> list[str]:
    """Return the rewrites of the first sound items of some topics, in a group of languages."""
    from autoevol.program.witnesses.exam import language_group

    return [
        item.rewrite
        for item in exam().items
        if item.is_sound
        and item.topic in rule_topics
        and language_group(item.original, item.rewrite) == group
    ][:count]
