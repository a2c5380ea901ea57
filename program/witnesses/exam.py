"""The exam: rewrites with a known verdict, which a witness must tell apart before it counts.

Half of them are sound. The broken ones are of two kinds, as strong evolvers make them: eloquent
paraphrases that ask for nothing more, and tasks that nobody can do. A witness is admitted for each
question and each group of languages by itself.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from autoevol.metrics.stats.agreement import Confusion, confusion
from autoevol.metrics.text.scripts import dominant_script, latin_language
from autoevol.program.witnesses import controls

Topic = Literal["demand", "solvable", "contradiction"]
Group = Literal["english", "east_asian", "other"]
GROUPS: tuple[Group, ...] = ("english", "east_asian", "other")

ALL = "all"
"""The one group of an exam that does not tell languages apart."""

MOST_FALSE_ALARMS = 0.05
"""Share of all sound items that an admitted witness may flag, at least one item: most rows are
sound, so false alarms cost more of them than a witness can find bad ones."""

LEAST_SPECIFICITY = 0.85
"""Share of the sound items of a group of languages that it must pass, one of eight excepted."""

CHANCE = 0.5
"""Balanced accuracy that the lower end of the 95 % interval must lie above, in a group."""


class Item(NamedTuple):
    """An instruction and a rewrite of it with a known verdict.

    Attributes:
        topic: What a broken one lacks: a further demand, or that somebody can do it. Of two
            constraints, that one text can keep both.
        answer: The known result of a sound task; "" where there is none to compare.
    """

    topic: Topic
    language: str
    original: str
    rewrite: str
    is_sound: bool
    answer: str = ""


Verdicts = Callable[[Confusion], bool]
"""Tells whether a witness's verdicts suffice."""


@dataclass(frozen=True, slots=True)
class Fitness:
    """What a witness showed in its exam, for one question.

    Attributes:
        by_group: Its verdicts against the known ones, for each group of languages; "flagged" means
            that it called the item broken.
        passes: Tells whether the verdicts of a group suffice.
        passes_overall: Tells whether those of all groups do, without which no group counts.
    """

    by_group: Mapping[str, Confusion]
    passes: Verdicts
    passes_overall: Verdicts

    @property
    def overall(self) -> Confusion:
        """The verdicts of all groups together."""
        counts = self.by_group.values()
        return Confusion(
            hits=sum(count.hits for count in counts),
            false_alarms=sum(count.false_alarms for count in counts),
            misses=sum(count.misses for count in counts),
            passes=sum(count.passes for count in counts),
        )

    @property
    def groups(self) -> list[str]:
        """The groups that the witness is admitted for."""
        if not self.passes_overall(self.overall):
            return []
        return [group for group, count in self.by_group.items() if self.passes(count)]

    @property
    def is_fit(self) -> bool:
        """Whether the witness is admitted for any group."""
        return bool(self.groups)

    def admits(self, source: str, rewrite: str) -> bool:
        """Tell whether the witness may speak about a rewrite, by its language."""
        group = ALL if ALL in self.by_group else language_group(source, rewrite)
        return group in self.groups

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON data, overall and by group."""
        groups = {
            group: _figures(count, group in self.groups) for group, count in self.by_group.items()
        }
        return {**_figures(self.overall, self.is_fit), "groups": groups}

    def __str__(self) -> str:
        count = self.overall
        sound, broken = count.false_alarms + count.passes, count.hits + count.misses
        return f"flags {count.false_alarms} of {sound} sound and {count.hits} of {broken} broken"


@dataclass(frozen=True, slots=True)
class Exam:
    """Items by topic, and who passes.

    Attributes:
        items: In the order in which they are asked about.
        passes: Whether the verdicts on the items of a group suffice.
        passes_overall: Whether the verdicts on all items suffice.
        has_groups: Whether languages are told apart.
    """

    items: Sequence[Item]
    passes: Verdicts
    passes_overall: Verdicts
    has_groups: bool = True

    def about(self, topics: Sequence[Topic]) -> list[Item]:
        """Return the items of some topics."""
        return [item for item in self.items if item.topic in topics]

    def fitness(self, items: Sequence[Item], flags: Sequence[bool]) -> Fitness:
        """Return what a witness showed.

        Args:
            items: Those that it was asked about.
            flags: For each of them, whether it called it broken.
        """
        groups = GROUPS if self.has_groups else (ALL,)
        pairs = list(zip(items, flags, strict=True))
        return Fitness(
            {
                group: confusion(
                    (flag, not item.is_sound)
                    for item, flag in pairs
                    if group in (ALL, language_group(item.original, item.rewrite))
                )
                for group in groups
            },
            self.passes,
            self.passes_overall,
        )


class Exams:
    """The exams of one witness; each is held once.

    Attributes:
        fitness: What the witness showed, by rule.
    """

    def __init__(self) -> None:
        self.fitness: dict[str, Fitness] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def fitness_for(self, rule: str, hold: Callable[[], Awaitable[Fitness]]) -> Fitness:
        """Return the fitness for a rule; `hold` holds its exam."""
        # Many rows arrive at once; the lock lets the first one test and the others wait for it.
        async with self._locks.setdefault(rule, asyncio.Lock()):
            if rule not in self.fitness:
                self.fitness[rule] = await hold()
        return self.fitness[rule]


def language_group(source: str, rewrite: str) -> Group:
    """Return the group of two texts' language; Latin letters of unknown language are English."""
    # Together, since a short source alone shows no language.
    text = f"{source}\n{rewrite}"
    script = dominant_script(text) or "latin"
    if script in ("han", "hangul", "kana"):
        return "east_asian"
    is_english = script == "latin" and latin_language(text) in (None, "en")
    return "english" if is_english else "other"


@cache
def exam() -> Exam:
    """Return the judge's exam."""
    return exam_of(items_in(__package__))


@cache
def solver_exam() -> Exam:
    """Return the solver's exam, in which the languages are one group: numbers have none."""
    return exam_of(items_in(__package__), has_groups=False)


@cache
def first_exam() -> Exam:
    """Return the judge's exam in folders of the formats 1 to 3."""
    items = [Item("solvable", "", *control) for control in controls.CONTROLS]
    return Exam(items, _within_limits, _within_limits, has_groups=False)


def exam_of(items: Sequence[Item], *, has_groups: bool = True, needs_broken: bool = False) -> Exam:
    """Return an exam that admits who beats chance in each group and spares the sound items.

    Args:
        items: Of all questions.
        has_groups: Languages are judged apart.
        needs_broken: A group without broken items admits nobody: who flags nothing would pass.
    """
    passes = _finds_broken if needs_broken else _beats_chance
    return Exam(items, passes, _spares_sound, has_groups)


@cache
def items_in(package: str) -> tuple[Item, ...]:
    """Return the items that a package ships."""
    lines = files(package).joinpath("exam.jsonl").read_text("utf-8").splitlines()
    return tuple(Item(**json.loads(line)) for line in lines)


def _beats_chance(count: Confusion) -> bool:
    accuracy, specificity = count.balanced_accuracy, count.specificity
    if specificity is None or specificity.value < LEAST_SPECIFICITY:
        return False
    # Without broken items, the sound ones alone are asked about: are their answers right?
    return accuracy is None or accuracy.interval[0] > CHANCE


def _finds_broken(count: Confusion) -> bool:
    return count.balanced_accuracy is not None and _beats_chance(count)


def _spares_sound(count: Confusion) -> bool:
    sound = count.false_alarms + count.passes
    return count.false_alarms <= max(1, MOST_FALSE_ALARMS * sound)


def _within_limits(count: Confusion) -> bool:
    return count.false_alarms <= controls.MOST_FALSE_ALARMS and count.hits >= controls.LEAST_HITS


def _figures(count: Confusion, is_fit: bool) -> dict[str, Any]:
    accuracy = count.balanced_accuracy
    return {
        "false_alarms": count.false_alarms,
        "hits": count.hits,
        "is_fit": is_fit,
        "sound": count.false_alarms + count.passes,
        "broken": count.hits + count.misses,
        "balanced_accuracy": accuracy.value if accuracy else None,
        "interval": accuracy.interval if accuracy else None,
    }
