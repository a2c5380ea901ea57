"""How much a run asks of its models at most: calls, tokens and cost by phase and role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from autoevol.experiments.artifacts.resume import LEDGER
from autoevol.experiments.config.scoring.scores import SOLVERS
from autoevol.experiments.models.ledger import Sums, read_sums
from autoevol.experiments.models.settings import adjusted
from autoevol.experiments.run.planning.generation import generation_settings
from autoevol.experiments.run.planning.plan import Plan
from autoevol.metrics import Rule, Witness, compose
from autoevol.metrics.failure.evolvers import LEAST_REWRITES
from autoevol.program.search.settings import RANKS
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


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """How much a phase asks of a role at most.

    Attributes:
        cost_usd: None when the model's price is unknown.
        is_seen: Tokens are the average of calls already made, not an upper bound.
        left: Calls that are not made yet, at most.
        seconds: Time of those, at the speed of the calls already made; None: none is made.
        expected: Calls that a run of usual rows makes; see `_Expectation`.
    """

    phase: str
    role: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    is_seen: bool = False
    left: int = 0
    seconds: float | None = None
    expected: int = 0


def estimate(plan: Plan) -> list[CostEstimate]:
    """Return an upper bound of the calls by phase and role.

    After a first try of the run, tokens and seconds of a call are the average of the role's calls
    in the ledger. Before it, tokens come from the seeds' words and the role's `max_tokens`.
    """
    sums_by_role = {sums.role: sums for sums in read_sums(plan.config.folder / LEDGER)}
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
    expectation = _Expectation(plan)
    return [
        replace(bound, expected=round(bound.calls * expectation.share(bound))) for bound in bounds
    ]


# Of searches in `benchmarks/search` and runs on small models; a strong evolver fails less.
_FAILED_IN_SEARCH, _FAILED, _FAILED_AFTER_SEARCH = 0.5, 0.25, 0.15
_MEASURED = 0.7  # of proposals; the others are rejected or are duplicates
_MINI_BATCHES = 0.6  # of the bound: one for each parent that an operator shows cases of
_SURVIVING = {8: 1.0, 16: 0.45, 32: 0.3}  # candidates that enter a race's rung, by its last row
_SURVIVING_LATER = 0.25
_STEPS_BEYOND_PATIENCE = 3
_OPTIMIZER_CALLS = {"rewrite": 2, "edit": 1, "shorten": 1, "merge": 1}
_FINDS = 0.5  # of searches, that find a method to confirm and apply; in the others the start stays
_OPEN = 0.3  # of the taught rows, that a judge is asked about
_WEAK_SOLVER, _PARENTS = 0.7, 0.5  # of the taught rows, that reach the question


@dataclass(frozen=True, slots=True)
class _Expectation:
    """How much of an upper bound a run is expected to use.

    A bound takes every step, every proposal on all dev rows, and every row through every stage.
    """

    plan: Plan

    def share(self, bound: CostEstimate) -> float:
        """Return the expected share of a bound, in [0, 1]."""
        taught_by_judge = bound.role == "judge" and self.plan.config.failure.teach
        if bound.phase in ("exam", "first look", "answer"):
            return _OPEN if taught_by_judge else 1.0
        if bound.phase == "search" and bound.role == "optimizer":
            return self._steps * self._calls_a_proposal / 2
        return self._evolved(bound.phase) * self._passed(bound)

    @property
    def _steps(self) -> float:
        search = self.plan.config.optimizer
        return min(1.0, (search.patience + _STEPS_BEYOND_PATIENCE) / max(1, search.steps))

    @property
    def _calls_a_proposal(self) -> float:
        search = self.plan.config.optimizer
        operators = ("rewrite",) if search.policy == "paper" else search.operators
        return fmean(_OPTIMIZER_CALLS.get(operator, 0) for operator in operators)

    @property
    def _raced(self) -> float:
        """Share of the dev rows on which a candidate is measured."""
        rows = len(self.plan.splits.dev)
        if self.plan.config.optimizer.pruner == "none" or not rows:
            return 1.0
        shares = (
            next((share for last, share in _SURVIVING.items() if row < last), _SURVIVING_LATER)
            for row in range(rows)
        )
        return fmean(shares)

    def _evolved(self, phase: str) -> float:
        """Return the share of a phase's rewrites that are made."""
        config, dev = self.plan.config, len(self.plan.splits.dev)
        if phase == "evolve":
            attempts = config.evolve.attempts
            later = sum(self._failed(phase) ** n for n in range(1, attempts))
            return (self._first_attempts + later) / attempts
        if phase == "held-out":
            return (1 + _FINDS) / 2  # where the start stays, one method is measured
        if phase != "search":
            return _FINDS if phase == "confirm" else 1.0
        search = config.optimizer
        batches = search.steps * mini_batches(self.plan)
        proposed = search.steps * search.candidates * dev
        later = _MINI_BATCHES * batches + _MEASURED * self._raced * proposed
        return (dev + self._steps * later) / (dev + batches + proposed)

    @property
    def _first_attempts(self) -> float:
        """Share of the bulk's first attempts that the search has not made of the same rows."""
        splits = self.plan.splits
        if self.plan.start is None or not splits.seeds:
            return 1.0
        fresh = splits.fresh if self.plan.config.optimizer.finalists else []
        # Where the start stays: no other method was tried on rows of mini-batches.
        train = (1 - _FINDS) * len(splits.train)
        measured = len(splits.dev) + len(splits.heldout) + len(fresh) + train
        rewrites = generation_settings(self.plan, {}).most_rewrites(len(splits.seeds))
        return max(0.0, 1 - measured / rewrites)

    def _failed(self, phase: str) -> float:
        if phase in ("search", "confirm"):
            return _FAILED_IN_SEARCH
        return _FAILED_AFTER_SEARCH if self.plan.start else _FAILED

    def _passed(self, bound: CostEstimate) -> float:
        """Return the share of a phase's rewrites that reach a role's stage."""
        if bound.role == "evolver":
            return 1.0
        passed = 1 - self._failed(bound.phase)
        if bound.role == "judge" and self.plan.config.failure.teach:
            return passed * _OPEN
        if bound.role not in SOLVERS or not self.plan.config.failure.teach:
            return passed
        # Half of a solver's bound is for parents, which several rows share.
        reached = 1.0 if bound.role == "strong_solver" else _WEAK_SOLVER
        return passed * (reached + _PARENTS * self._parents(bound)) / 2

    def _parents(self, bound: CostEstimate) -> float:
        """Return the share of parents that are solved for this row alone."""
        has_answers = any(row.response for row in self.plan.splits.seeds)
        if bound.role == "strong_solver" and has_answers:
            return 0.0
        return 1 / (1 + self.plan.config.optimizer.candidates) if bound.phase == "search" else 1.0


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
    search, splits = plan.config.optimizer, plan.splits
    batch = mini_batches(plan)
    # The search that follows measures as many rows as this one.
    steps = search.steps * (2 if search.then else 1)
    proposals = steps * search.candidates
    dev = len(splits.dev) * (1 + proposals)
    # Two calls a proposal: one analyses the trajectories, one rewrites the method.
    proposing = _estimate(plan, "search", "optimizer", 2 * proposals, _analysis_words(plan))
    estimates = [*_evolving(plan, "search", steps * batch + dev, dev), proposing]
    if search.finalists and splits.fresh:
        fresh = len(splits.fresh) * (1 + search.finalists)
        estimates += _evolving(plan, "confirm", fresh, fresh)
    heldout = 2 * len(splits.heldout)
    if search.check_accepted:
        # At most: every step may accept a method.
        checked = search.steps * (len(splits.fresh) + len(splits.heldout))
        estimates += _evolving(plan, "check", checked, checked)
    return [*_look(plan), *estimates, *_evolving(plan, "held-out", heldout, heldout)]


def mini_batches(plan: Plan) -> int:
    """Return how many rewrites the mini-batches of a step take at most."""
    search = plan.config.optimizer
    # The paper makes all proposals of a step from the incumbent, so they share one mini-batch.
    parents = 1 if search.policy == "paper" else min(RANKS, search.candidates)
    return parents * min(search.batch_size, len(plan.splits.train)) * search.trajectory_rounds


def _look(plan: Plan) -> list[CostEstimate]:
    """Return the rewrites that a first look makes of rows that the search may not need."""
    splits = plan.splits
    others = max(0, LEAST_REWRITES - len(splits.dev) - len(splits.heldout))
    others = min(others, len(splits.train) + len(splits.fresh))
    if not others or plan.config.failure.suspects != "auto":
        return []
    words = _words([row.instruction for row in splits.seeds])
    words += _words([plan.start.text]) if plan.start else 0
    return [_estimate(plan, "first look", "evolver", others, words)]


def _bulk(plan: Plan) -> list[CostEstimate]:
    """Return what the bulk phase asks for: rounds, children and turns, attempts and samples."""
    evolve, seeds = plan.config.evolve, plan.splits.seeds
    turns = sum(max(1, len(row.turns)) for row in seeds)
    if not evolve.rounds:
        return _answers(plan, "answer", turns)
    settings = generation_settings(plan, {})
    rewrites = settings.most_rewrites(turns) * evolve.attempts
    inputs = rewrites if evolve.input == "evolve" and any(row.input for row in seeds) else 0
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
    words = _words([method.text]) + _words([row.instruction for row in plan.splits.seeds])
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
    words = _words([row.prompt for row in plan.splits.seeds]) + 40
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


def _words(texts: Sequence[str]) -> float:
    return fmean(len(text.split()) for text in texts) if texts else 0.0
