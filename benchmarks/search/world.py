"""A simulated world whose true failure rates are known, to measure searches with.

It contains no model, so it says nothing about models.

The evolver fails a row with a probability that depends on the method's text and on the row. The
optimizer proposes edits: few help, many do nothing, some harm. All laws of the world:

- **Rows.** A row fails in one of four ways with the probabilities `BASE`, each multiplied by the
  row's difficulty (0.5 to 1.5) and by its proneness to that failure (0.5 to 1.5); together at most
  0.97.
- **Safeguards.** A sentence that forbids a failure (`SAFEGUARDS` tells which) multiplies that
  failure by a strength drawn once for the world: 0.25 to 0.9 in the variant `help`, 1 in `nothing`,
  1.1 to 1.6 in `harm`. Saying it twice changes nothing.
- **Sentences of the optimizer.** One in seven lowers a failure (by 0.35 to 0.9), one in four raises
  one (by 1.1 to 1.9), the rest do nothing. Which and how much is drawn once for the world and
  sentence.
- **Contradictions.** "Always" and "Never" about the same point multiply lost details by 1.3.
- **Length.** Every word beyond 150 adds 0.2 % to each failure.
- **Demonstrations.** Each of the first six lowers answering by 5 % and standing still by 7 %; each
  beyond eight raises lost details by 5 %.
- **Chance.** A call's luck is the row's own (the same for all methods) in half of the cases, and
  the row's and method's in the others: two methods that are equally good differ on some rows.
- **Depth.** A sound rewrite adds 6 to 20 words, a trait of the method that has nothing to do with
  how often it fails.

The optimizer rewrites by adding a sentence of its own (in three of four cases), dropping one, or
saying the opposite of one; asked to shorten it drops one, asked to merge it joins the sentences of
both. It does not read the feedback: it is a weak optimizer.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import dspy

from autoevol.program.calls import CallRecord, report_call
from autoevol.program.records import Row
from autoevol.signatures import Method

Variant = Literal["help", "nothing", "harm"]
BASE = {"answered": 0.18, "unchanged": 0.16, "lost_details": 0.10, "prompt_leak": 0.06}
RULES = list(BASE)
STRENGTHS: dict[Variant, tuple[float, float]] = {
    "help": (0.25, 0.9),
    "nothing": (1.0, 1.0),
    "harm": (1.1, 1.6),
}
SAFEGUARDS = {
    "answered": r"\b(?:never|not)\b[^.]*\b(?:answer|solve)",
    "unchanged": r"\b(?:must|always)\b[^.]*\b(?:new|adds?)\b|\bnot enough\b",
    "lost_details": r"\b(?:keep|copy)\b[^.]*\b(?:number|name|quotation)",
    "prompt_leak": r"\b(?:never|not)\b[^.]*\b(?:mention|talk about|repeat)",
}
POPULATION = 300
"""Rows over which the true failure rate is taken; no search sees them."""

START = Method("start", "Rewrite the instruction into a harder one. Reply with it alone.")


@dataclass(frozen=True, slots=True)
class World:
    """One draw of the laws.

    Attributes:
        seed: Seed of everything that the laws draw.
        variant: What safeguards do.
    """

    seed: int
    variant: Variant = "help"

    def true_rate(self, method: Method) -> float:
        """Return the method's failure rate over the population, in [0, 1]; lower is better."""
        demos = len(method.demonstrations)
        rates = (self.failure(method.instructions, demos, row.id) for row in rows("p", POPULATION))
        return sum(sum(rate.values()) for rate in rates) / POPULATION

    def failure(self, text: str, demos: int, row: str) -> dict[str, float]:
        """Return the probability of each kind of failure for one row; they exclude one another."""
        factors = self.factors(text, demos)
        difficulty = 0.5 + chance(self.seed, row)
        odds = {
            kind: base * factors[kind] * difficulty * (0.5 + chance(self.seed, row, kind))
            for kind, base in BASE.items()
        }
        total = sum(odds.values())
        return {kind: odd * min(1.0, 0.97 / total) for kind, odd in odds.items()}

    def factors(self, text: str, demos: int) -> dict[str, float]:
        """Return the factor of each failure that comes from a method's text and demonstrations."""
        return _factors(self, text, demos)

    def strength(self, kind: str) -> float:
        """Return by what the safeguard against a failure multiplies it."""
        return between(STRENGTHS[self.variant], self.seed, "safeguard", kind)

    def effect(self, number: int) -> tuple[str, float]:
        """Return the failure that a sentence of the optimizer acts on, and by how much."""
        return drawn_effect(self.seed, number)


@cache
def _factors(world: World, text: str, demos: int) -> dict[str, float]:
    lengthy = 1 + 0.002 * max(0, len(text.split()) - 150)
    factors = dict.fromkeys(BASE, lengthy)
    for kind, pattern in SAFEGUARDS.items():
        if re.search(pattern, text, re.IGNORECASE):
            factors[kind] *= world.strength(kind)
    for number in {int(n) for n in re.findall(r"\bpoint (\d+)\b", text)}:
        kind, factor = world.effect(number)
        factors[kind] *= factor
    always, never = (
        set(re.findall(rf"\b{word} heed point (\d+)", text)) for word in ("Always", "Never")
    )
    factors["lost_details"] *= 1.3 ** len(always & never) * 1.05 ** max(0, demos - 8)
    factors["answered"] *= 0.95 ** min(demos, 6)
    factors["unchanged"] *= 0.93 ** min(demos, 6)
    return factors


def drawn_effect(seed: object, number: int) -> tuple[str, float]:
    """Return the failure that a sentence acts on, and by how much, as a seed draws it."""
    kind = RULES[int(4 * chance(seed, "kind", number))]
    fate = chance(seed, "fate", number)
    if fate < 1 / 7:
        return kind, between((0.35, 0.9), seed, "virtue", number)
    if fate < 1 / 7 + 1 / 4:
        return kind, between((1.1, 1.9), seed, "vice", number)
    return kind, 1.0


def rows(prefix: str, count: int) -> list[Row]:
    """Return `count` rows whose ids begin with `prefix`."""
    texts = (f"List {20 + i} facts about subject {prefix}{i}." for i in range(count))
    return [Row(f"{prefix}{i}", f"{prefix}{i}", text) for i, text in enumerate(texts)]


def chance(*parts: object) -> float:
    """Return a number in [0, 1) that is a pure function of `parts`."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def between(limits: tuple[float, float], *parts: object) -> float:
    """Return a number between two limits that is a pure function of `parts`."""
    return limits[0] + (limits[1] - limits[0]) * chance(*parts)


@dataclass
class Calls:
    """Number of calls that each kind of model has answered."""

    evolver: int = 0
    optimizer: int = 0

    @property
    def total(self) -> int:
        """Calls of both."""
        return self.evolver + self.optimizer


class WorldModel(dspy.BaseLM):
    """Plays the evolver and the optimizer of a world; the system turn says which."""

    def __init__(self, world: World) -> None:
        super().__init__("simulated")
        self.world = world
        self.calls = Calls()

    def __deepcopy__(self, memo: object) -> "WorldModel":
        """Return the model itself: copies would count calls apart."""
        return self

    def copy(self, **kwargs: Any) -> "WorldModel":
        """Return the model itself; it has no settings."""
        return self

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        """Return one reply; `rollout_id` is the draw."""
        return [self.reply(messages, kw.get("rollout_id") or 0)]

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        """Return one reply; without a draw, the prompt itself and the count of calls make one."""
        return [self.reply(messages, kw.get("rollout_id") or 0)]

    def reply(self, messages: Sequence[dict[str, str]], draw: int) -> str:
        """Answer as the evolver or as the optimizer, and report the call."""
        text = self._answer(messages, draw)
        report_call(CallRecord("", "world", text, False, False, 0, 0, 0, 0, 0.0, None))
        return text

    def _answer(self, messages: Sequence[dict[str, str]], draw: int) -> str:
        system, user = messages[0]["content"], messages[-1]["content"]
        if system.startswith("You review a method"):
            self.calls.optimizer += 1
            return "general: make it better"
        if system.startswith(("You improve a method", "You shorten a method", "You merge")):
            self.calls.optimizer += 1
            return self._proposal(system, user, draw)
        self.calls.evolver += 1
        # Between the system turn and the last one each demonstration has two turns.
        return self._rewrite(system, (len(messages) - 2) // 2, user, draw)

    def _rewrite(self, method: str, demos: int, user: str, draw: int) -> str:
        row = user.removeprefix("Instruction:\n").split("\n\n")[0]
        subject = re.search(r"subject (\w+)\.", row)
        name = subject.group(1) if subject else row
        own = chance("own", method, demos, name) < 0.5
        luck = chance(self.world.seed, name, draw, method if own else "", demos if own else 0)
        for kind, odd in self.world.failure(method, demos, name).items():
            luck -= odd
            if luck < 0:
                return _failed(kind, row)
        depth = 6 + int(11 * chance(method, demos, "depth") + 4 * chance(method, name, "depth"))
        added = " ".join(f"{word}{i}" for i, word in enumerate(_WORDS[:depth]))
        return f"{row} Then also compare it with {added}."

    def _proposal(self, system: str, user: str, draw: int) -> str:
        texts = re.findall(r"[Mm]ethod:\n(.*?)(?=\n\n|\Z)", user, re.DOTALL)
        parts = [part for text in texts for part in re.split(r"(?<=\.)\s+", text.strip())]
        parts = list(dict.fromkeys(parts))
        pick = chance(self.world.seed, "pick", user, draw)
        if system.startswith("You merge"):
            return " ".join(parts)
        if (system.startswith("You shorten") or pick > 0.85) and len(parts) > 2:
            # The first two sentences make the text a method; without them it would be rejected.
            parts.pop(2 + int(chance(self.world.seed, "drop", user, draw) * (len(parts) - 2)))
            return " ".join(parts)
        number = int(1000 * chance(self.world.seed, "number", user, draw))
        held = re.findall(r"Always heed point (\d+)", " ".join(parts))
        if pick > 0.75 and held:
            return " ".join([*parts, f"Never heed point {held[0]}."])
        return " ".join([*parts, f"Always heed point {number} of the instruction."])


def _failed(kind: str, row: str) -> str:
    if kind == "answered":
        return "The first fact is that it is large, and the second one is that it is old."
    if kind == "unchanged":
        return row
    if kind == "lost_details":
        numberless = re.sub(r"[0-9]+ ", "", row, count=1)
        return f"{numberless} Then rank all of them by weight, age and price."
    return f"Here is the rewritten prompt: {row} Then rank all of them by weight and by age."


_WORDS = """
    amber basil cedar delta ember fjord grove heron inlet jetty kelp larch maple north orbit
    pearl quartz river slate thyme
""".split()
