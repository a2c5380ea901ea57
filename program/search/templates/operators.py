"""How a proposal is made for a template: as for a program's step, and every variable stays."""

from collections.abc import Mapping
from dataclasses import replace

from autoevol.program.search.operators import Operator
from autoevol.program.search.programs.operators import PROGRAM_OPERATORS, talk_in
from autoevol.program.search.proposer import Prompts, Proposal, ProposalRequest, Proposer
from autoevol.program.search.settings import OperatorName
from autoevol.program.search.templates.variables import variable_flaw, variables_in
from autoevol.signatures import AnalyzeRuns, MergeSteps, OptimizeStep, ShortenStep

_NAMES: tuple[OperatorName, ...] = ("rewrite", "edit", "shorten", "merge")
"""A template has no demonstrations beside its text."""

TEMPLATE_NEED_CASES: frozenset[OperatorName] = frozenset(("rewrite", "edit"))


def keeping_variables(operator: Operator) -> Operator:
    """Return an operator that rejects proposals which cannot be filled in as their parent."""

    async def kept(proposer: Proposer, request: ProposalRequest) -> Proposal:
        proposal = await operator(proposer, request)
        if proposal.method is None:
            return proposal
        text = proposal.method.parts[request.predictor].instructions
        flaw = variable_flaw(text, request.part.instructions)
        return replace(proposal, method=None, rejected=flaw) if flaw else proposal

    return kept


TEMPLATE_OPERATORS: Mapping[OperatorName, Operator] = {
    name: keeping_variables(PROGRAM_OPERATORS[name]) for name in _NAMES
}


def template_prompts() -> Prompts:
    """Return the optimizer model's prompts for templates."""
    return Prompts(
        analyze=AnalyzeRuns,
        optimize=OptimizeStep,
        bolder={},
        shorten=ShortenStep,
        merge=MergeSteps,
        task=lambda request: {"task": describe_template(request)},
        flaw=talk_in,
        may_quote_cases=True,
    )


def describe_template(request: ProposalRequest) -> str:
    """Return what a text is for, and the variables that it has to keep, as text."""
    name = request.part.name
    others = [part.name for part in request.method.parts if part.name != name]
    shown = [f"- {{{{{variable}}}}}" for variable in variables_in(request.part.instructions)]
    lines = [f"The method is the prompt {name!r}, which a program fills in and sends to a model."]
    if shown:
        lines += [
            "Placeholders stand for the values that the program fills in. Each of them has to be "
            "in the new method, with its braces, and no other:",
            *shown,
        ]
    return "\n".join([*lines, *([f"Other prompts: {'; '.join(others)}."] if others else [])])
