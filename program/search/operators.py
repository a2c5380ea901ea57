"""How a proposal is made from a method of the archive: one small operator each, by name.

`rewrite` is the paper's. `rewrite`, `edit`, `shorten` and `merge` ask the optimizer model; the
others make no call, so a search with a weak optimizer model can find a better method, too.
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
"""A method with so many demonstrations gets no more."""

LEAST_LEFT = 0.5
"""Least share of a method's words in a shortened one; weak models drop orders."""

LONG = 30
"""A method with so many words is worth shortening."""

SHORTER = 0.75
"""Share of a method's words that a shortened one may have."""

NEED_CASES = frozenset({"rewrite", "add_demonstration"})
"""Operators that use the mini-batch under the parent."""


def applies(name: OperatorName, parent: Evaluation, archive: Archive) -> bool:
    """Return whether an operator can change a method; makes no call."""
    method = parent.method
    match name:
        case "edit":
            return bool(parent.failures)
        case "merge":
            return _best_other(method, archive) is not None
        case "safeguard":
            return bool(_rules_without_safeguard(parent))
        case "add_demonstration":
            # A pair of texts holds no thinking, so it cannot show the stepwise form.
            return method.thinking == "none" and len(method.demonstrations) < MOST_DEMONSTRATIONS
        case "drop_demonstration":
            return bool(method.demonstrations)
        case "shorten":
            return len(words(method.instructions)) >= LONG
        case "rewrite":
            return True


async def propose(name: OperatorName, proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Apply an operator; a call that fails or cannot be read only rejects the proposal."""
    try:
        return await OPERATORS[name](proposer, request)
    except AdapterParseError as error:
        return _rejected(f"unparsed reply: {error.lm_response!r:.80}")
    # Any other error, such as a refused key, would fail every proposal, so it ends the run.
    except (*TRANSPORT_ERRORS, LMInvalidRequestError) as error:
        return _rejected(f"the call failed: {error!s:.200}")


async def rewrite(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Analyse the mini-batch and rewrite the method (paper, section 3.2)."""
    return await proposer.rewrite_method(request, await proposer.analyze_cases(request))


async def edit(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Rewrite the method from the failures that F counted, without an analysis."""
    counts = request.parent.failures.most_common()
    examples = {
        reason.rule: f"{reason.rule} ({reason.evidence})"
        for outcome in request.parent.outcomes
        for reason in outcome.reasons
    }
    lines = [f"{count} rows: {examples[rule]}" for rule, count in counts]
    return await proposer.rewrite_method(request, "\n".join(["An automatic check found:", *lines]))


async def shorten(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Ask for the same in three quarters of the words; reject what lost half of them."""
    old_length = len(words(request.method.instructions))
    proposal = await proposer.shorten_method(request, word_limit=int(SHORTER * old_length))
    if proposal.method is None:
        return proposal
    length = len(words(proposal.method.instructions))
    if LEAST_LEFT * old_length <= length < old_length:
        return proposal
    loss = f"{length} of {old_length} words left: orders were lost"
    why = "not shorter" if length >= old_length else loss
    return replace(proposal, method=None, rejected=why)


async def merge(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Merge the parent with the best other method of the archive."""
    other = _best_other(request.method, request.archive)
    return await proposer.merge_methods(request, other) if other else _rejected("no second method")


async def safeguard(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Add sentences against the commonest failures that the method says nothing against."""
    failures = request.parent.failures
    rules = _rules_without_safeguard(request.parent)[: proposer.most_added]
    if not rules:
        return _rejected("no failure without a safeguard")
    # Where there is no room for all, the sentence against the rarest failure is left out first.
    for count in range(len(rules), 0, -1):
        sentences = " ".join(SAFEGUARDS[rule] for rule in rules[:count])
        joined = f"{request.method.instructions.rstrip()} {sentences}"
        if len(words(joined)) <= proposer.max_method_words:
            method = request.method.with_instructions(joined, name=request.name)
            counts = (f"{rule} failed {failures[rule]} rows" for rule in rules[:count])
            return Proposal(method, "; ".join(counts))
    return _rejected("no room for another sentence")


async def add_demonstration(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Show the rewrites of the mini-batch that passed and added most words."""
    method = request.method
    shown = {before for before, _ in method.demonstrations}
    passed = [case.stages[:2] for case in request.cases if _has_passed(case)]
    unshown = [(before, after) for before, after in passed if before not in shown]
    if not unshown:
        return _rejected("no new row has passed")
    richest = sorted(unshown, key=lambda texts: added_words(*texts), reverse=True)
    room = MOST_DEMONSTRATIONS - len(method.demonstrations)
    pairs = richest[: min(proposer.most_added, room)]
    titles = "; ".join(before for before, _ in pairs)
    return _with_demonstrations(request, (*method.demonstrations, *pairs), f"shows: {titles}")


async def drop_demonstration(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Remove the demonstration that the draw selects."""
    shown = request.method.demonstrations
    index = request.draw % len(shown)
    rest = (*shown[:index], *shown[index + 1 :])
    return _with_demonstrations(request, rest, f"without: {shown[index][0]}")


def _best_other(method: Method, archive: Archive) -> Method | None:
    """Return the best method of the archive with other instructions."""
    # Merging reads instructions alone: methods that differ in demonstrations are one text to it.
    others = (e.method for e in archive.ranked if e.method.instructions != method.instructions)
    return next(others, None)


def _rules_without_safeguard(parent: Evaluation) -> list[str]:
    """Return rules that the method has no sentence against, the one that failed most rows first.

    Of rules with the same sentence only the first one is among them.
    """
    text = parent.method.instructions
    by_sentence: dict[str, str] = {}
    for rule, _ in parent.failures.most_common():
        if rule in SAFEGUARDS and SAFEGUARDS[rule] not in text:
            by_sentence.setdefault(SAFEGUARDS[rule], rule)
    return list(by_sentence.values())


def _has_passed(case: Trajectory) -> bool:
    return len(case.stages) > 1 and not any(note.startswith("stage 1:") for note in case.notes)


def _with_demonstrations(
    request: ProposalRequest, demonstrations: tuple[tuple[str, str], ...], why: str
) -> Proposal:
    method: Method = replace(request.method, demonstrations=demonstrations, name=request.name)
    return Proposal(method, why)


def _rejected(why: str) -> Proposal:
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
