"""What a user should know of a plan before the run."""

from autoevol.experiments.run.planning.models import solver_rules
from autoevol.experiments.run.planning.plan import Plan


def recognised_lines(plan: Plan) -> list[str]:
    """Return what was recognised in the seeds' source, a sentence each."""
    config, recognised = plan.config, plan.recognised
    lines = [recognised.sentence, *(f"{n} {note}" for note, n in recognised.notes.items())]
    first = config.evolve.first_round
    if config.evolve.rounds and first > 1:
        lines.append(f"rows of earlier rounds, which go on in round {first} with their lineage")
    elif plan.facts.has_rounds:
        lines.append("rows of earlier rounds, which keep their lineage")
    return [f"{config.data.path}: {line}" for line in lines]


def notes(plan: Plan) -> list[str]:
    """Return what a user should know of a plan before it runs."""
    return [f"{plan.where}: {note}" for note in (*copies(plan), *own_judge(plan))]


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
