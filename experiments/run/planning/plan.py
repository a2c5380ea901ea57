"""The plan of a run: its config with seeds, methods and models, checked without a model call."""

import json
from dataclasses import dataclass, field
from functools import cached_property

from autoevol.experiments.artifacts.earlier import earlier_methods
from autoevol.experiments.config.data import sized
from autoevol.experiments.config.experiment import (
    ExperimentConfig,
    rounds_problem,
)
from autoevol.experiments.data.formats.account import Recognised
from autoevol.experiments.data.seed_facts import SeedFacts
from autoevol.experiments.data.seeds import Seeds, Splits, read_seeds, split
from autoevol.experiments.data.verified_constraints import read_constraints
from autoevol.experiments.files.data_sets import existing_path
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.run.planning.methods import (
    answer_prompt_of,
    check_adapter,
    schedule_of,
    start_of,
)
from autoevol.experiments.run.planning.models import failure_solver, models_of
from autoevol.experiments.scores.files import read_benchmarks
from autoevol.metrics import compose
from autoevol.program.checks.check import Check
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method


@dataclass(frozen=True)  # no slots: a cached property needs a place
class Plan:
    """A checked config with its seeds, methods and models.

    Attributes:
        where: The config's file, for messages.
        schedule: What each round applies unless a search replaces it.
        start: Where the search starts; None without a search.
        models: Settings of the roles that the run needs.
        earlier: The methods of `optimizer.learn_from`, in its order, each once.
        answer_prompt: Instructions of the responder; "": the signature's own.
        recognised: What the reader recognised in the seeds' source.
        constraints: The checks of each constraint of `evolve.constraints`.
        facts: About all seeds together.
        is_fresh: What its folder holds is moved aside, and no call of it is used.
    """

    config: ExperimentConfig
    where: str
    splits: Splits
    schedule: list[list[Method]]
    start: Method | None
    models: dict[str, ModelSettings]
    answer_prompt: str = ""
    recognised: Recognised = field(default_factory=Recognised)
    earlier: tuple[Method, ...] = ()
    constraints: tuple[tuple[Check, ...], ...] = ()
    facts: SeedFacts = field(default_factory=SeedFacts, compare=False)
    is_fresh: bool = False

    @property
    def methods(self) -> list[Method]:
        """The methods of all rounds, each once."""
        return list({m.id: m for methods in self.schedule for m in methods}.values())

    @property
    def chunk_rows(self) -> int:
        """Seeds of a chunk of the bulk phase; 0: it goes through all of them at once."""
        evolve = self.config.evolve
        # A target ends a run in the middle, and a bandit waits for all rows of a round.
        is_whole = evolve.target is not None or evolve.choice == "bandit"
        is_one = len(self.splits.seeds) <= evolve.chunk_rows
        return 0 if is_whole or is_one else evolve.chunk_rows

    @property
    def failure_solver(self) -> str | None:
        """The role that decides the solver's rules of F; None: F has none."""
        return failure_solver(self.config, compose(self.config.failure.evolve, "evolve"))

    @property
    def strong_answers(self) -> bool:
        """Whether the responder is the strong solver's model, so that a response is a sample."""
        strong, responder = self.models.get("strong_solver"), self.models.get("responder")
        if not (strong and responder and self.config.evolve.respond):
            return False
        return (strong.model, strong.api_base) == (responder.model, responder.api_base)

    @cached_property
    def content(self) -> str:
        """Fingerprint of what the config points to: seeds, methods and prompts."""
        # The config itself holds only paths. A resumed run must not mix rows of two data files.
        digest = self.facts.content()
        for methods in [*self.schedule, [self.start] if self.start else []]:
            # A method's id leaves out its kind, which selects failure rules.
            digest.update(json.dumps([(m.id, m.kind) for m in methods]).encode())
        # Only where there are any: the fingerprints of other runs stay as they were.
        for method in self.earlier:
            digest.update(method.id.encode())
        for checks in self.constraints:
            digest.update(json.dumps([check.as_json() for check in checks]).encode())
        return str(digest.hexdigest()[:16])


def make_plan(config: ExperimentConfig, where: str) -> Plan:
    """Check everything that needs no model and return what the run will use.

    Raises:
        ConfigError: Names the file and the key, or the data file and the row.
    """
    # Seeds come last, for they take the longest: a mistake in a key is reported at once.
    schedule = schedule_of(config, where)
    methods = [method for round_methods in schedule for method in round_methods]
    start = start_of(config, methods, where)
    models = models_of(config, where)
    check_adapter(config, [*methods, *([start] if start else [])], where)
    prompt = answer_prompt_of(config, where)
    earlier = earlier_methods(config, f"{where}: optimizer.learn_from")
    constraints = _constraints(config, where)
    _check_benchmarks(config, where)
    seeds = read_seeds(config, where, prompt)
    config = _resolved(config, seeds, where)
    splits = split(seeds.rows, config, where)
    return Plan(
        config,
        where,
        splits,
        schedule,
        start,
        models,
        answer_prompt=prompt,
        recognised=seeds.recognised,
        earlier=earlier,
        constraints=constraints,
        facts=seeds.facts,
    )


def _constraints(config: ExperimentConfig, where: str) -> tuple[tuple[Check, ...], ...]:
    name = config.evolve.constraints
    key = f"{where}: evolve.constraints"
    return read_constraints(name, key) if name else ()


def _resolved(config: ExperimentConfig, seeds: Seeds, where: str) -> ExperimentConfig:
    """Return the config with what the seeds decide: its first round, and the sizes of a search."""
    evolve = config.evolve.model_copy(update={"first_round": seeds.first_round})
    data = sized(config.data, len(seeds.rows)) if config.is_search else config.data
    resolved = config.model_copy(update={"evolve": evolve, "data": data})
    if problem := rounds_problem(resolved):
        raise ConfigError(f"{where}: output.rounds", problem)
    return resolved


def _check_benchmarks(config: ExperimentConfig, where: str) -> None:
    """Read the benchmark files of scores and filters.

    Data sets of the hub are left to the run: a check downloads nothing.
    """
    scored = config.scores.benchmarks if "overlap" in config.scores.names else []
    benchmarks = [(f"{where}: scores.benchmarks", scored)]
    for number, row_filter in enumerate(config.filters):
        if row_filter.name == "decontaminate":
            benchmarks.append((f"{where}: filters.{number}.benchmarks", row_filter.benchmarks))
    for key, names in benchmarks:
        read_benchmarks([name for name in names if existing_path(name, key)], key)
