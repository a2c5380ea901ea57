"""How much a run asks of its models at most: calls, tokens and cost by phase and role."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from autoevol.experiments.artifacts.resume import LEDGER
from autoevol.experiments.config.scoring.scores import SOLVERS
from autoevol.experiments.models.ledger import Sums, by_role, read_bill
from autoevol.experiments.models.settings import adjusted
from autoevol.experiments.run.chunks import chunk_bills
from autoevol.experiments.run.planning.expectation import CostEstimate, Expectation
from autoevol.experiments.run.planning.generation import generation_settings
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.planning.search_calls import search_calls
from autoevol.metrics import Rule, Witness, compose
from autoevol.metrics.failure.evolvers import LEAST_REWRITES
from autoevol.program.witnesses.exam import exam, solver_exam
from autoevol.program.witnesses.questions import QUESTIONS
from autoevol.program.witnesses.solver import items_of

TOKENS_PER_WORD = 1.4
"""For estimates, of English text; Korean takes about twice as many."""

# Words of a prompt by what it asks for.
_JUDGE_WORDS = 250
_SOLVER_WORDS = 240
_ANSWER_WORDS = 200
_ORDERS = 2  # in which a judge compares two texts
_UNLIMITED_TOKENS = 4096  # of a reply, where the model has no max_tokens


def estimate(plan: Plan) -> list[CostEstimate]:
    """Return an upper bound of the calls by phase and role.

    After a first try of the run, tokens and seconds of a call are the average of the role's calls
    in the ledger. Before it, tokens come from the seeds' words and the role's `max_tokens`.
    """
    folder = plan.config.folder
    bills = [] if plan.is_fresh else [read_bill(folder / LEDGER), *chunk_bills(folder)]
    sums_by_role = by_role(bills)
    finished = {role: sums.calls for role, sums in sums_by_role.items()}
    estimates = []
    for bound in _bounds(plan):
        # The phases follow each other, so a role's finished calls belong to its first ones.
        covered = min(bound.calls, finished.get(bound.role, 0))
        finished[bound.role] = finished.get(bound.role, 0) - covered
        seen = _as_seen(plan, bound, sums_by_role)
        estimates.append(_with_time(plan, seen, covered, sums_by_role.get(bound.role)))
    return estimates


def _with_time(plan: Plan, bound: CostEstimate, covered: int, sums: Sums | None) -> CostEstimate:
    """Return a bound with the calls that are left, and their time."""
    left = bound.calls - covered
    if sums is None or not sums.seconds:
        return replace(bound, left=left)
    in_flight = plan.models[bound.role].in_flight
    # As many calls at once as the role may make, and never more than there are.
    seconds = left * sums.seconds / sums.calls / max(1, min(in_flight, left))
    return replace(bound, left=left, seconds=seconds)


def _as_seen(plan: Plan, bound: CostEstimate, sums_by_role: Mapping[str, Sums]) -> CostEstimate:
    """Return a bound with the tokens that the role's calls have used so far, if there are any."""
    sums = sums_by_role.get(bound.role)
    if sums is None:
        return bound
    tokens_in = round(bound.calls * sums.tokens_in / sums.calls)
    tokens_out = round(bound.calls * sums.tokens_out / sums.calls)
    cached = round(bound.calls * sums.tokens_cached / sums.calls)
    price = plan.models[bound.role].price
    cost = price.cost(tokens_in, tokens_out, cached) if price else None
    return replace(bound, tokens_in=tokens_in, tokens_out=tokens_out, cost_usd=cost, is_seen=True)


def _bounds(plan: Plan) -> list[CostEstimate]:
    bounds = [*_exams(plan), *_search(plan), *_bulk(plan), *_scores(plan)]
    expectation = Expectation(plan)
    bounds = [
        replace(bound, expected=round(bound.calls * expectation.share(bound))) for bound in bounds
    ]
    return _within_budget(plan, bounds)


@dataclass(frozen=True, slots=True)
class Most:
    """What a run uses at most, its phases and roles together.

    Attributes:
        cost_usd: None where a price is unknown.
        is_seen: Tokens and cost are at the average of calls already made, no bound.
    """

    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    is_seen: bool


def at_most(plan: Plan, lines: Sequence[CostEstimate]) -> Most:
    """Return what a run uses at most: the roles of a search share `optimizer.max_calls`."""
    limit = _search_limit(plan)
    is_priced = all(line.cost_usd is not None for line in lines)
    return Most(
        round(_together(lines, limit, lambda line: line.calls)),
        round(_together(lines, limit, lambda line: line.tokens_in)),
        round(_together(lines, limit, lambda line: line.tokens_out)),
        _together(lines, limit, lambda line: line.cost_usd or 0.0) if is_priced else None,
        is_seen=any(line.is_seen for line in lines),
    )


_IN_BATCHES = ("evolve", "answer", "scores")
"""Phases whose calls go as batches, where their role has any."""


def saved_by_batches(plan: Plan, lines: Sequence[CostEstimate]) -> float:
    """Return how many US dollars batches take off the bound, where all calls go as batches."""
    return sum(
        (line.cost_usd or 0.0) * (1 - batch.price_share)
        for line in lines
        if (batch := plan.models[line.role].batch) and line.phase in _IN_BATCHES
    )


def _together(
    lines: Sequence[CostEstimate], limit: int | None, figure: Callable[[CostEstimate], float]
) -> float:
    """Return the most of a figure; a search's calls are as many as its limit, the dearest ones."""

    def a_call(line: CostEstimate) -> float:
        return figure(line) / line.calls if line.calls else 0.0

    total, left = 0.0, limit
    for line in sorted(lines, key=a_call, reverse=True):
        if line.phase != "search" or left is None:
            total += figure(line)
        else:
            calls = min(line.calls, left)
            total, left = total + calls * a_call(line), left - calls
    return total


def _searched(lines: Sequence[CostEstimate]) -> int:
    return sum(line.calls for line in lines if line.phase == "search")


def _search_limit(plan: Plan) -> int | None:
    """Return how many calls `max_calls` leaves the search; None: it has no bound.

    A step that has begun is finished, so the calls may exceed `max_calls` by those of one step.
    MIPROv2 makes all its proposals besides.
    """
    search = plan.config.optimizer
    if search.max_calls is None or plan.start is None:
        return None
    step = -(-_searched(_search(plan)) // search.steps)
    proposing = search_calls(plan).proposing if search.name == "miprov2" else 0
    return search.max_calls + step + proposing


def _within_budget(plan: Plan, bounds: Sequence[CostEstimate]) -> list[CostEstimate]:
    """Return the bounds with those of a search cut to what `max_calls` leaves it."""
    limit = _search_limit(plan)
    if limit is None:
        return list(bounds)
    expected = sum(bound.expected for bound in bounds if bound.phase == "search")
    share = min(1.0, (plan.config.optimizer.max_calls or 0) / expected) if expected else 1.0
    return [_cut(bound, limit, share) if bound.phase == "search" else bound for bound in bounds]


def _cut(bound: CostEstimate, most: int, share: float) -> CostEstimate:
    """Return a bound of so many calls at most, and a share of its expected ones."""
    part = min(1.0, most / bound.calls) if bound.calls else 1.0
    return replace(
        bound,
        calls=min(bound.calls, most),
        tokens_in=round(part * bound.tokens_in),
        tokens_out=round(part * bound.tokens_out),
        cost_usd=None if bound.cost_usd is None else part * bound.cost_usd,
        expected=min(round(share * bound.expected), most),
    )


def _exams(plan: Plan) -> list[CostEstimate]:
    """Return what the exams of the witnesses take."""
    taught = compose(plan.config.failure.teach, "teach")
    judges = [*_witnessed(plan, "judge"), *(rule for rule in taught if rule.witness == "judge")]
    judged = sum(_exam_calls(rule) for rule in judges)
    solved = max((_exam_calls(rule) for rule in _witnessed(plan, "solver")), default=0)
    bounds = []
    if judged:
        bounds.append(_estimate(plan, "exam", "judge", judged, _JUDGE_WORDS))
    if solved and plan.failure_solver:
        bounds.append(_estimate(plan, "exam", plan.failure_solver, solved, _SOLVER_WORDS))
    return bounds


def _exam_calls(rule: Rule) -> int:
    """Return how many calls the exam for a rule takes at most; solvers' rules share theirs."""
    if rule.witness == "solver":
        return len(items_of(solver_exam())) * int(rule.numbers["samples"])
    question = QUESTIONS[rule.name]
    per_item = _ORDERS if question.mirror else int(rule.numbers.get("votes", 1))
    return len(exam().about(question.topics)) * per_item


def _search(plan: Plan) -> list[CostEstimate]:
    """Return what a search asks for, the confirmation and the held-out test included."""
    if plan.start is None:
        return []
    search, splits, most = plan.config.optimizer, plan.splits, search_calls(plan)
    proposing = _estimate(plan, "search", "optimizer", most.proposing, _analysis_words(plan))
    estimates = [*_evolving(plan, "search", most.evolved, most.answered), proposing]
    if search.finalists and splits.fresh:
        fresh = len(splits.fresh) * (1 + search.finalists)
        estimates += _evolving(plan, "confirm", fresh, fresh)
    heldout = 2 * len(splits.heldout)
    if search.check_accepted:
        # At most: every step may accept a method.
        checked = search.steps * (len(splits.fresh) + len(splits.heldout))
        estimates += _evolving(plan, "check", checked, checked)
    return [*_look(plan), *estimates, *_evolving(plan, "held-out", heldout, heldout)]


def _look(plan: Plan) -> list[CostEstimate]:
    """Return the rewrites that a first look makes of rows that the search may not need."""
    splits = plan.splits
    others = max(0, LEAST_REWRITES - len(splits.dev) - len(splits.heldout))
    others = min(others, len(splits.train) + len(splits.fresh))
    if not others or plan.config.failure.suspects != "auto":
        return []
    words = plan.facts.instruction_length
    words += _words(plan.start.text) if plan.start else 0
    return [_estimate(plan, "first look", "evolver", others, words)]


def _bulk(plan: Plan) -> list[CostEstimate]:
    """Return what the bulk phase asks for: rounds, children and turns, attempts and samples."""
    evolve, turns = plan.config.evolve, plan.facts.turns
    if not evolve.rounds:
        return _answers(plan, "answer", turns)
    settings = generation_settings(plan, {})
    rewrites = settings.most_rewrites(turns) * evolve.attempts
    inputs = rewrites if evolve.input == "evolve" and plan.facts.has_inputs else 0
    answers = settings.most_answers(turns) * evolve.attempts
    return _evolving(plan, "evolve", rewrites + inputs, answers)


def _scores(plan: Plan) -> list[CostEstimate]:
    """Return what scores ask for.

    Each score asks a judge about each row once, `chain` once per seed, and solvers k times a row.
    """
    scores, seeds = plan.config.scores, len(plan.splits.seeds)
    if not scores.asking:
        return []
    settings = generation_settings(plan, {})
    rows = seeds + settings.most_rewrites(seeds)
    if scores.sample is not None:
        # The sample counts for each round, and the seeds are a round of their own.
        rows = min(rows, scores.sample * (settings.rounds + 1))
    estimates = []
    if scores.judged:
        # A chain is a seed and at least one rewrite of it: at most one question for two rows.
        chains = -(-rows // 2) if "chain" in scores.judged else 0
        single = rows * sum(name != "chain" for name in scores.judged)
        estimates.append(_estimate(plan, "scores", "judge", single + chains, _JUDGE_WORDS))
    tries = rows * scores.samples
    solvers = [role for role in SOLVERS if role in plan.models]
    return [*estimates, *(_estimate(plan, "scores", r, tries, _SOLVER_WORDS) for r in solvers)]


def _witnessed(plan: Plan, witness: Witness) -> list[Rule]:
    failure = plan.config.failure
    rules = compose(failure.evolve, "evolve", failure.thresholds)
    return [rule for rule in rules if rule.witness == witness]


def _witnessing(plan: Plan, phase: str, evolved: int) -> list[CostEstimate]:
    """Return what witnesses are asked about so many rewrites, votes and samples included."""
    bounds = []
    votes = sum(int(rule.numbers.get("votes", 1)) for rule in _witnessed(plan, "judge"))
    if votes:
        bounds.append(_estimate(plan, phase, "judge", evolved * votes, _JUDGE_WORDS))
    samples = {rule.name: int(rule.numbers["samples"]) for rule in _witnessed(plan, "solver")}
    if samples and plan.failure_solver:
        # The rules share the rewrite's solutions; for `same_answer` the seed is solved as well.
        tries = evolved * (max(samples.values()) + samples.get("same_answer", 0))
        bounds.append(_estimate(plan, phase, plan.failure_solver, tries, _SOLVER_WORDS))
    return bounds


def _teaching(plan: Plan, phase: str, taught: int) -> list[CostEstimate]:
    """Return what it takes to ask whether so many rewrites teach, each with a parent of its own."""
    rules = compose(plan.config.failure.teach, "teach")
    samples = plan.config.failure.learnable.samples
    bounds = []
    if any(rule.witness == "solvers" for rule in rules):
        # Each solver tries the rewrite and its parent.
        roles = [role for role in SOLVERS if role in plan.models]
        tries = 2 * taught * samples
        bounds = [_estimate(plan, phase, role, tries, _SOLVER_WORDS) for role in roles]
    if any(rule.witness == "judge" for rule in rules):
        bounds.append(_estimate(plan, phase, "judge", _ORDERS * taught, _JUDGE_WORDS))
    return bounds


def _evolving(plan: Plan, phase: str, evolved: int, answered: int) -> list[CostEstimate]:
    """Return what it takes to evolve and answer so many instructions, F's witnesses included."""
    method = plan.start or plan.methods[0]
    words = _words(method.text) + plan.facts.instruction_length
    rewrites = _estimate(plan, phase, "evolver", evolved, words)
    return [
        rewrites,
        *_witnessing(plan, phase, evolved),
        *_answers(plan, phase, answered),
        *_teaching(plan, phase, evolved),
    ]


def _answers(plan: Plan, phase: str, answered: int) -> list[CostEstimate]:
    """Return what answers to so many instructions take: tries, samples, tests, a choice."""
    if not plan.config.evolve.respond:
        return []
    answer = plan.config.answer
    words = plan.facts.prompt_length + 40
    samples = answered * answer.attempts * answer.samples
    # A search runs no tests.
    is_tested = answer.check == "tests" and phase in ("answer", "evolve")
    tests = answered * answer.attempts * is_tested
    estimates = [_estimate(plan, phase, "responder", samples + tests, words)]
    if plan.config.judges_answers:
        shown = words + answer.samples * _ANSWER_WORDS
        estimates.append(_estimate(plan, phase, "judge", answered, shown))
    return estimates


def _estimate(plan: Plan, phase: str, role: str, calls: int, words: float) -> CostEstimate:
    settings, _ = adjusted(plan.models[role])
    tokens_in = round(calls * words * TOKENS_PER_WORD)
    tokens_out = calls * (settings.max_tokens or _UNLIMITED_TOKENS)
    price = settings.price
    # No token counts as cached: a bound must hold where the prefix cache has nothing.
    cost = price.cost(tokens_in, tokens_out, 0) if price else None
    return CostEstimate(phase, role, calls, tokens_in, tokens_out, cost)


def _analysis_words(plan: Plan) -> float:
    search = plan.config.optimizer
    return 200 + search.batch_size * (search.trajectory_rounds + 1) * 40


def _words(text: str) -> int:
    return len(text.split())
