"""The plan of a run: its config with seeds, methods and models, checked without a model call."""

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from autoevol.experiments.artifacts.earlier import earlier_methods
from autoevol.experiments.config.data import sized
from autoevol.experiments.config.errors import shown
from autoevol.experiments.config.evolve import MethodConfig
from autoevol.experiments.config.experiment import (
    ROLES,
    ExperimentConfig,
    rounds_problem,
)
from autoevol.experiments.config.models import ModelConfig, check_solvers, model_settings
from autoevol.experiments.config.scores import SOLVER_NEED
from autoevol.experiments.data.formats.account import Recognised
from autoevol.experiments.data.seeds import Seeds, Splits, read_seeds, split
from autoevol.experiments.files.data_sets import existing_path
from autoevol.experiments.files.paths import local_path, read_text
from autoevol.experiments.models.settings import ModelSettings, check
from autoevol.experiments.scores.files import read_benchmarks
from autoevol.metrics import RULE_SETS, RULES, Rule, Stage, check_thresholds, compose
from autoevol.program.adapter import is_plain
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, RespondToInstruction, from_markdown, shipped_methods
from autoevol.signatures.respond import I_DO_NOT_KNOW

_NEED_STRONG = ("too_hard", "no_gap")
"""Rules of F that compare with a strong solver."""


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

    @property
    def methods(self) -> list[Method]:
        """The methods of all rounds, each once."""
        return list({m.id: m for methods in self.schedule for m in methods}.values())

    @property
    def failure_solver(self) -> str | None:
        """The role that decides the solver's rules of F; None: F has none."""
        return _failure_solver(self.config, compose(self.config.failure.evolve, "evolve"))

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
        digest = hashlib.sha256(self.answer_prompt.encode())
        for row in self.splits.seeds:
            fields = [row.id, row.instruction, row.input, row.turns, row.response, row.round]
            fields += [row.system] if row.system else []
            digest.update(json.dumps(fields).encode())
        for methods in [*self.schedule, [self.start] if self.start else []]:
            # A method's id leaves out its kind, which selects failure rules.
            digest.update(json.dumps([(m.id, m.kind) for m in methods]).encode())
        # Only where there are any: the fingerprints of other runs stay as they were.
        for method in self.earlier:
            digest.update(method.id.encode())
        return digest.hexdigest()[:16]


def make_plan(config: ExperimentConfig, where: str) -> Plan:
    """Check everything that needs no model and return what the run will use.

    Raises:
        ConfigError: Names the file and the key, or the data file and the row.
    """
    # Seeds come last, for they take the longest: a mistake in a key is reported at once.
    schedule = _schedule(config, where)
    methods = [method for round_methods in schedule for method in round_methods]
    start = _start(config, methods, where)
    models = _models(config, where)
    _check_adapter(config, [*methods, *([start] if start else [])], where)
    prompt = _answer_prompt(config, where)
    earlier = earlier_methods(config, f"{where}: optimizer.learn_from")
    _check_benchmarks(config, where)
    seeds = read_seeds(config, where)
    config = _resolved(config, seeds, where)
    splits = split(seeds.rows, config, where)
    return Plan(config, where, splits, schedule, start, models, prompt, seeds.recognised, earlier)


def _resolved(config: ExperimentConfig, seeds: Seeds, where: str) -> ExperimentConfig:
    """Return the config with what the seeds decide: its first round, and the sizes of a search."""
    evolve = config.evolve.model_copy(update={"first_round": seeds.first_round})
    data = sized(config.data, len(seeds.rows)) if config.is_search else config.data
    resolved = config.model_copy(update={"evolve": evolve, "data": data})
    if problem := rounds_problem(resolved):
        raise ConfigError(f"{where}: output.rounds", problem)
    return resolved


def recognised_lines(plan: Plan) -> list[str]:
    """Return what was recognised in the seeds' source, a sentence each."""
    config, recognised = plan.config, plan.recognised
    lines = [recognised.sentence, *(f"{n} {note}" for note, n in recognised.notes.items())]
    first = config.evolve.first_round
    if config.evolve.rounds and first > 1:
        lines.append(f"rows of earlier rounds, which go on in round {first} with their lineage")
    elif any(row.round for row in plan.splits.seeds):
        lines.append("rows of earlier rounds, which keep their lineage")
    return [f"{config.data.path}: {line}" for line in lines]


def own_judge(plan: Plan) -> list[str]:
    """Return a note where the weak solver of F is the evolver's model."""
    solver, evolver = plan.models.get("solver"), plan.models["evolver"]
    is_same = solver and (solver.model, solver.api_base) == (evolver.model, evolver.api_base)
    if not (is_same and solver_rules(plan.config)):
        return []
    return ["models.solver: is the evolver's model, which so judges its own work"]


def copies(plan: Plan) -> list[str]:
    """Return a note for each number of the config that asks for the same greedy reply again."""
    config = plan.config
    fewest = min((len(methods) for methods in plan.schedule), default=1)
    counts = {
        "evolve.children": (max(config.evolve.children) > fewest, "evolver"),
        "answer.samples": (config.answer.samples > 1, "responder"),
        "optimizer.candidates": (config.optimizer.candidates > 1, "optimizer"),
        "scores.samples": (config.scores.samples > 1, "solver"),
    }
    return [
        f"{key}: at temperature 0 they are copies of each other; set models.{role}.temperature"
        for key, (is_several, role) in counts.items()
        if is_several and role in plan.models and plan.models[role].temperature == 0
    ]


def _check_benchmarks(config: ExperimentConfig, where: str) -> None:
    """Read the benchmark files of scores and filters.

    Data sets of the hub are left to the run: a check downloads nothing.
    """
    scored = config.scores.benchmarks if "overlap" in config.scores.names else []
    benchmarks = [(f"{where}: scores.benchmarks", scored)]
    for number, row_filter in enumerate(config.filters):
        if row_filter.name == "decontaminate":
            benchmarks.append((f"{where}: filters.{number}.benchmarks", row_filter.benchmarks))
    beside = Path(where).parent
    for key, names in benchmarks:
        files = [name for name in names if existing_path(name, key, beside=beside)]
        read_benchmarks(files, key, beside=beside)


def _schedule(config: ExperimentConfig, where: str) -> list[list[Method]]:
    key = f"{where}: evolve.{'schedule' if config.evolve.schedule else 'methods'}"
    schedule = [[_with_parameters(entry, key) for entry in es] for es in config.evolve.entries]
    for methods in schedule:
        names = [method.name for method in methods]
        # Weights, a bandit's tallies and the accounts all go by the method's name.
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ConfigError(key, f"{twice} is listed twice; give one of them a file and a name")
    is_weighted = config.evolve.choice == "weighted"
    if is_weighted and not all(any(e.weight for e in es) for es in config.evolve.entries):
        raise ConfigError(key, "all methods of a round have weight 0, so none can be chosen")
    return schedule


def _with_parameters(entry: MethodConfig, where: str) -> Method:
    method = find_method(entry.name, where)
    try:
        return method.with_parameters(**entry.parameters) if entry.parameters else method
    except ValueError as error:
        raise ConfigError(where, f"{entry.name}: {error}") from error


def _answer_prompt(config: ExperimentConfig, where: str) -> str:
    """Return the responder's instructions; "": the signature's own."""
    file = config.answer.prompt
    prompt = _text_of(file, f"{where}: answer.prompt").strip() if file else ""
    if config.answer.idk:
        prompt = f"{prompt or RespondToInstruction.instructions} {I_DO_NOT_KNOW}"
    return prompt


def _text_of(file: str, key: str) -> str:
    path = local_path(file, key)
    try:
        text = read_text(path, str(path))
    except ConfigError as error:
        raise ConfigError(key, str(error)) from error
    if not text.strip():
        raise ConfigError(key, f"{file} is empty")
    return text


def find_method(name: str, where: str) -> Method:
    """Return a shipped method, or the one in a file.

    Raises:
        ConfigError: There is neither, or the file is no method.
    """
    shipped = shipped_methods()
    if name in shipped:
        return shipped[name]
    path = local_path(name, f"{where}, the method's name")
    if not path.exists():
        near = difflib.get_close_matches(name, shipped, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ";"
        raise ConfigError(
            where,
            f"unknown method {shown(name)}{hint} `autoevol methods list` shows the names",
        )
    try:
        # A model may have written a carriage return, which is part of the method's id.
        text = read_text(path, str(path), newline="")
    except ConfigError as error:
        raise ConfigError(where, f"names a method that is none: {error}") from error
    try:
        return from_markdown(text, name=path.stem)
    except ValueError as error:
        raise ConfigError(str(path), f"is no method: {error}") from error


def _start(config: ExperimentConfig, methods: Sequence[Method], where: str) -> Method | None:
    if not config.is_search:
        return None
    if not config.evolve.rounds:
        raise ConfigError(
            f"{where}: evolve.rounds",
            "is 0, so the method that a search finds would never be applied; "
            "set optimizer.name: none",
        )
    if len(methods) != 1:
        raise ConfigError(
            f"{where}: evolve.methods",
            f"must be one method, which the search starts from and replaces, not {len(methods)}; "
            "name one, or set optimizer.name: none",
        )
    if config.optimizer.initial_method:
        return find_method(config.optimizer.initial_method, f"{where}: optimizer.initial_method")
    return methods[0]


def _models(config: ExperimentConfig, where: str) -> dict[str, ModelSettings]:
    _check_solvers(config, where)
    return {role: _model(role, config, where) for role in _roles_needed(config, where)}


def _model(role: str, config: ExperimentConfig, where: str) -> ModelSettings:
    """Return the settings of a role's model; a cap in USD needs the price of every fallback."""
    model: ModelConfig = getattr(config.models, role)
    settings = model_settings(role, model)
    check(settings, f"{where}: models.{role}")
    for number, fallback in enumerate(settings.fallbacks):
        check(fallback, f"{where}: models.{role}.fallbacks.{number}")
    for entry in (settings, *settings.fallbacks):
        if config.budget.usd is not None and entry.price is None:
            raise ConfigError(
                f"{where}: budget.usd",
                f"the price of {entry.model} is unknown; set models.{role}.price, "
                "or use budget.calls or budget.tokens",
            )
    return settings


def _roles_needed(config: ExperimentConfig, where: str) -> list[str]:
    rules = _rules(config, "evolve", where)
    _rules(config, "respond", where)
    taught = _rules(config, "teach", where)
    tries = any(rule.witness == "solvers" for rule in taught)
    solver = _failure_solver(config, rules)
    needed = {
        "evolver": True,
        "responder": config.evolve.respond or solver == "responder",
        "optimizer": config.is_search,
        "judge": any(rule.witness == "judge" for rule in (*rules, *taught))
        or config.judges_answers
        or bool(config.scores.judged),
        "solver": tries or "solver" in config.scores.names,
        "strong_solver": solver == "strong_solver"
        or (bool(config.models.strong_solver) and (tries or "solver" in config.scores.names)),
    }
    return [role for role in ROLES if needed[role]]


def _failure_solver(config: ExperimentConfig, rules: Sequence[Rule]) -> str | None:
    if not any(rule.witness == "solver" for rule in rules):
        return None
    return "strong_solver" if config.models.strong_solver else "responder"


def _rules(config: ExperimentConfig, stage: Stage, where: str) -> tuple[Rule, ...]:
    failure = config.failure
    try:
        check_thresholds(failure.thresholds)
    except ValueError as error:
        raise ConfigError(f"{where}: failure.thresholds", str(error)) from error
    # `rules` stands for both stages, so a mistake in it is in both.
    is_shared = stage != "teach" and failure.evolve == failure.respond
    key = f"{where}: failure.{'rules' if is_shared else stage}"
    try:
        _check_stage(getattr(failure, stage), stage, key)
        return compose(getattr(failure, stage), stage, failure.thresholds)
    except KeyError as error:
        close = difflib.get_close_matches(str(error.args[0]), [*RULE_SETS, *RULES], n=1)
        sets = ", ".join(RULE_SETS)
        hint = f"; did you mean {close[0]!r}?" if close else f"; rule sets are {sets}"
        raise ConfigError(
            key,
            f"unknown rule or rule set {shown(error.args[0])}{hint}",
        ) from error


def solver_rules(config: ExperimentConfig) -> list[str]:
    """Return the names of F's rules that a weak and a strong solver decide."""
    rules = compose(config.failure.teach, "teach")
    return [rule.name for rule in rules if rule.witness == "solvers"]


def _check_solvers(config: ExperimentConfig, where: str) -> None:
    taught = _rules(config, "teach", where)
    if taught and not config.evolve.rounds:
        raise ConfigError(
            f"{where}: failure.teach",
            "compares rewrites with their parents, and evolve.rounds is 0; leave it out",
        )
    if config.failure.teach and not taught:
        raise ConfigError(f"{where}: failure.teach", "takes out every rule that it names")
    names = solver_rules(config)
    if not names and "solver" not in config.scores.names:
        return
    need = f"failure.teach asks for {names[0]}" if names else SOLVER_NEED
    compared = next((name for name in names if name in _NEED_STRONG), None)
    without = ", ".join(f"-{name}" for name in _NEED_STRONG)
    gap = f"failure.teach asks for {compared}; without one: [learnable, {without}]"
    check_solvers(config.models, where, need=need, gap=gap if compared else "")


def _check_stage(names: Sequence[str], stage: Stage, key: str) -> None:
    """Check that rules on what a row teaches are at their own stage, and no others are.

    Raises:
        ConfigError: Names the key.
        KeyError: A name is neither a rule nor a rule set.
    """
    for name in names:
        bare = name.removeprefix("-")
        members = RULE_SETS.get(bare, (bare,))
        teaches = [RULES[member].stages == ("teach",) for member in members]
        if all(teaches) and stage != "teach":
            raise ConfigError(key, f"{bare} is about what a row teaches; set failure.teach")
        if not any(teaches) and stage == "teach":
            raise ConfigError(
                key, f"{bare} does not say what a row teaches; set failure.evolve or .respond"
            )


def _check_adapter(config: ExperimentConfig, methods: Sequence[Method], where: str) -> None:
    if config.models.judge.adapter == "plain":
        raise ConfigError(
            f"{where}: models.judge.adapter",
            "plain reads text, not a verdict; use chat, json or xml",
        )
    clash = next((m for m in methods if not is_plain(m.signature)), None)
    if clash and config.models.evolver.adapter == "plain":
        raise ConfigError(
            f"{where}: models.evolver.adapter",
            f"plain reads one output field, and method {clash.name} has a second one for its "
            "thinking; use chat, json or xml",
        )
