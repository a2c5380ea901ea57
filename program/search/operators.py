"""How a proposal is made from a method of the archive: one small operator each, by name.

Two need an optimizer model that writes well (`rewrite` is the paper's); the others need it little
or not at all, so that a weak one can win too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from dspy.utils.exceptions import AdapterParseError, LMInvalidRequestError

from autoevol.metrics import added_words
from autoevol.metrics.text.wording import words
from autoevol.program.lm_errors import TRANSPORT_ERRORS
from autoevol.program.records import Evaluation, Trajectory
from autoevol.program.search.archive import Archive
from autoevol.program.search.proposer import Proposal, ProposalRequest, Proposer
from autoevol.program.search.safeguards import SAFEGUARDS
from autoevol.program.search.settings import OperatorName
from autoevol.signatures import Method

Operator = Callable[[Proposer, ProposalRequest], Awaitable[Proposal]]
MOST_DEMONSTRATIONS = 12
"""A method that has so many gets no more."""

LEAST_LEFT = 0.5
"""Share of a method's words that a shorter one has at least; weak models drop orders."""

LONG = 30
"""Words of a method that is worth shortening."""

SHORTER = 0.75
"""Share of a method's words that it is to be shortened to."""

NEED_CASES = frozenset({"rewrite", "add_demonstration"})
"""Operators that look at the mini-batch under the parent."""


def applies(name: OperatorName, parent: Evaluation, archive: Archive) -> bool:
    """Tell whether an operator can do anything with a method; costs no call."""
    method = parent.method
    match name:
        case "edit":
            return bool(parent.failures)
        case "merge":
            return _other_than(method, archive) is not None
        case "safeguard":
            return _lacking(parent) is not None
        case "add_demonstration":
            return method.thinking == "none" and len(method.demonstrations) < MOST_DEMONSTRATIONS
        case "drop_demonstration":
            return bool(method.demonstrations)
        case "shorten":
            return len(words(method.instructions)) >= LONG
        case "rewrite":
            return True


async def propose(name: OperatorName, proposer: Proposer, order: ProposalRequest) -> Proposal:
    """Apply an operator; a call that fails or cannot be read refuses the proposal, no more."""
    try:
        return await OPERATORS[name](proposer, order)
    except AdapterParseError as error:
        return Proposal(None, "", f"unparsed reply: {error.lm_response!r:.80}")
    except (*TRANSPORT_ERRORS, LMInvalidRequestError) as error:
        return Proposal(None, "", f"the call failed: {error!s:.200}")


async def rewrite(proposer: Proposer, order: ProposalRequest) -> Proposal:
    """Analyse the mini-batch and rewrite the method (paper, section 3.2)."""
    return await proposer.optimized(order, await proposer.analysis(order))


async def edit(proposer: Proposer, order: ProposalRequest) -> Proposal:
    """Rewrite the method from the failures that F has counted, without an analysis."""
    counts = order.parent.failures.most_common()
    examples = {
        reason.rule: f"{reason.rule} ({reason.evidence})"
        for outcome in order.parent.outcomes
        for reason in outcome.reasons
    }
    lines = [f"{count} rows: {examples[rule]}" for rule, count in counts]
    return await proposer.optimized(order, "\n".join(["An automatic check found:", *lines]))


async def shorten(proposer: Proposer, order: ProposalRequest) -> Proposal:
    """Say the same in three quarters of the words; much less cannot say the same."""
    before = len(words(order.method.instructions))
    found = await proposer.shortened(order, word_limit=int(SHORTER * before))
    if found.method is None:
        return found
    after = len(words(found.method.instructions))
    if LEAST_LEFT * before <= after < before:
        return found
    why = "not shorter" if after >= before else f"{after} of {before} words left: orders were lost"
    return replace(found, method=None, rejected=why)


async def merge(proposer: Proposer, order: ProposalRequest) -> Proposal:
    """Join the parent with the best other method of the archive."""
    other = _other_than(order.method, order.archive)
    return await proposer.merged(order, other) if other else _refused("no second method")


async def safeguard(proposer: Proposer, order: ProposalRequest) -> Proposal:
    """Add a sentence against the commonest failure that the method has none against."""
    rule = _lacking(order.parent)
    if rule is None:
        return _refused("no failure without a safeguard")
    joined = f"{order.method.instructions.rstrip()} {SAFEGUARDS[rule]}"
    if len(words(joined)) > proposer.max_method_words:
        return _refused("no room for another sentence")
    method = order.method.with_instructions(joined, name=order.name)
    return Proposal(method, f"{rule} failed {order.parent.failures[rule]} rows")


async def add_demonstration(proposer: Proposer, order: ProposalRequest) -> Proposal:
    """Show a rewrite of the mini-batch that passed and added most."""
    method = order.method
    shown = {before for before, _ in method.demonstrations}
    sound = [case.stages[:2] for case in order.cases if _is_sound(case)]
    fresh = [(before, after) for before, after in sound if before not in shown]
    if not fresh:
        return _refused("no new row has passed")
    pair = max(fresh, key=lambda each: added_words(*each))
    demonstrations = (*method.demonstrations, pair)
    return _with_demonstrations(order, demonstrations, f"shows: {pair[0]}")


async def drop_demonstration(proposer: Proposer, order: ProposalRequest) -> Proposal:
    """Take a demonstration away; the draw says which."""
    shown = order.method.demonstrations
    at = order.draw % len(shown)
    return _with_demonstrations(order, (*shown[:at], *shown[at + 1 :]), f"without: {shown[at][0]}")


def _other_than(method: Method, archive: Archive) -> Method | None:
    """Return the best method of the archive with other instructions."""
    others = (e.method for e in archive.ranked if e.method.instructions != method.instructions)
    return next(others, None)


def _lacking(parent: Evaluation) -> str | None:
    """Return the rule that failed most rows among those that the method has no sentence against."""
    text = parent.method.instructions
    rules = (rule for rule, _ in parent.failures.most_common() if rule in SAFEGUARDS)
    return next((rule for rule in rules if SAFEGUARDS[rule] not in text), None)


def _is_sound(case: Trajectory) -> bool:
    return len(case.stages) > 1 and not any(note.startswith("stage 1:") for note in case.notes)


def _with_demonstrations(
    order: ProposalRequest, demonstrations: tuple[tuple[str, str], ...], why: str
) -> Proposal:
    method: Method = replace(order.method, demonstrations=demonstrations, name=order.name)
    return Proposal(method, why)


def _refused(why: str) -> Proposal:
    return Proposal(None, "", why)


OPERATORS: dict[OperatorName, Operator] = {
    "rewrite": rewrite,
    "edit": edit,
    "shorten": shorten,
    "merge": merge,
    "safeguard": safeguard,
    "add_demonstration": add_demonstration,
    "drop_demonstration": drop_demonstration,
}
