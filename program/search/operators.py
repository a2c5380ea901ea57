"""How a proposal is made from a method of the archive: one small operator each, by name.

`rewrite` is the paper's. `rewrite`, `edit`, `shorten` and `merge` ask the optimizer model; the
others make no call, so a search with a weak optimizer model can find a better method, too.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from dspy.utils.exceptions import AdapterParseError, LMInvalidRequestError

from autoevol.metrics import added_words
from autoevol.metrics.text.wording import words
from autoevol.program.evolution.evaluation import shown_reason
from autoevol.program.lm_errors import CONNECTION_ERRORS
from autoevol.program.records import Evaluation, Trajectory
from autoevol.program.search.archive import Archive
from autoevol.program.search.proposer import Proposal, ProposalRequest, Proposer
from autoevol.program.search.settings import OperatorName
from autoevol.signatures import Method
from autoevol.signatures.remedies import REMEDIES

Operator = Callable[[Proposer, ProposalRequest], Awaitable[Proposal]]
MOST_DEMONSTRATIONS = 12
"""A method with so many demonstrations gets no more."""

LEAST_LEFT = 0.5
"""Least share of a method's words in a shortened one; weak models drop orders."""

LONG = 30
"""A method with so many words is worth shortening."""

SHORTER = 0.75
"""Share of a method's words that a shortened one may have."""

NEED_CASES: frozenset[OperatorName] = frozenset(("rewrite", "add_demonstration"))
"""Operators that use the mini-batch under the parent."""


def applies(name: OperatorName, parent: Evaluation, archive: Archive, predictor: int = 0) -> bool:
    """Return whether an operator can change a predictor of a method; makes no call."""
    method = parent.method.parts[predictor]
    match name:
        case "edit":
            return bool(parent.failures)
        case "merge":
            return _best_other(method, archive, predictor) is not None
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


async def propose(
    name: OperatorName,
    proposer: Proposer,
    request: ProposalRequest,
    operators: Mapping[OperatorName, Operator] | None = None,
) -> Proposal:
    """Apply an operator; a call that fails or cannot be read only rejects the proposal.

    Args:
        name: Of the operator.
        proposer: Asks the optimizer model.
        request: What to change.
        operators: By name; None: those of an evolving method.
    """
    try:
        return await (operators or OPERATORS)[name](proposer, request)
    except AdapterParseError as error:
        return _rejected(f"unparsed reply: {error.lm_response!r:.80}")
    # Any other error, such as a refused key, would fail every proposal, so it ends the run.
    except (*CONNECTION_ERRORS, LMInvalidRequestError) as error:
        return _rejected(f"the call failed: {error!s:.200}")


async def rewrite(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Analyse the mini-batch and rewrite the method (paper, section 3.2)."""
    return await proposer.rewrite_method(request, await proposer.analyze_cases(request))


async def edit(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Rewrite the method from the failures that F counted, without an analysis."""
    counts = request.parent.failures.most_common()
    examples = {
        reason.rule: f"{reason.rule} ({reason.evidence})"
        if proposer.is_old
        else shown_reason(reason)
        for outcome in request.parent.outcomes
        for reason in outcome.reasons
    }
    lines = [f"{count} rows: {examples[rule]}" for rule, count in counts]
    return await proposer.rewrite_method(request, "\n".join(["An automatic check found:", *lines]))


async def shorten(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Ask for the same in three quarters of the words; reject what lost half of them."""
    old_length = len(words(request.part.instructions))
    proposal = await proposer.shorten_method(request, word_limit=int(SHORTER * old_length))
    if proposal.method is None:
        return proposal
    length = len(words(proposal.method.parts[request.predictor].instructions))
    if LEAST_LEFT * old_length <= length < old_length:
        return proposal
    loss = f"{length} of {old_length} words left: orders were lost"
    why = "not shorter" if length >= old_length else loss
    return replace(proposal, method=None, rejected=why)


async def merge(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Merge the parent with the best other method of the archive."""
    other = _best_other(request.part, request.archive, request.predictor)
    return await proposer.merge_methods(request, other) if other else _rejected("no second method")


async def safeguard(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Add sentences against the commonest failures that the method says nothing against."""
    failures = request.parent.failures
    rules = _rules_without_safeguard(request.parent)[: proposer.most_added]
    if not rules:
        return _rejected("no failure without a safeguard")
    # Where there is no room for all, the sentence against the rarest failure is left out first.
    for count in range(len(rules), 0, -1):
        sentences = " ".join(REMEDIES[rule].order for rule in rules[:count])
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
    return with_demonstrations(request, (*method.demonstrations, *pairs), f"shows: {titles}")


async def drop_demonstration(proposer: Proposer, request: ProposalRequest) -> Proposal:
    """Remove the demonstration that the draw selects."""
    shown = request.part.demonstrations
    index = request.draw % len(shown)
    rest = (*shown[:index], *shown[index + 1 :])
    return with_demonstrations(request, rest, f"without: {shown[index][0]}")


def with_demonstrations(
    request: ProposalRequest, demonstrations: tuple[tuple[str, str], ...], why: str
) -> Proposal:
    """Return the parent with other demonstrations of the predictor."""
    part: Method = replace(request.part, demonstrations=demonstrations, about="")
    return Proposal(request.with_part(part), why)


def _best_other(method: Method, archive: Archive, predictor: int) -> Method | None:
    """Return the predictor's state in the best method that has other instructions for it."""
    # Merging reads instructions alone: methods that differ in demonstrations are one text to it.
    parts = (evaluation.method.parts[predictor] for evaluation in archive.ranked)
    return next((part for part in parts if part.instructions != method.instructions), None)


def _rules_without_safeguard(parent: Evaluation) -> list[str]:
    """Return rules that the method has no sentence against, the one that failed most rows first.

    Of rules with the same sentence only the first one is among them.
    """
    text = parent.method.instructions
    by_sentence: dict[str, str] = {}
    for rule, _ in parent.failures.most_common():
        if rule in REMEDIES and REMEDIES[rule].order not in text:
            by_sentence.setdefault(REMEDIES[rule].order, rule)
    return list(by_sentence.values())


def _has_passed(case: Trajectory) -> bool:
    return len(case.stages) > 1 and not any(note.startswith("stage 1:") for note in case.notes)


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
