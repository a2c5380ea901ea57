"""Trajectories of a mini-batch: each row has its own stages, whatever the rows are called."""

import asyncio

import pytest

from autoevol.program.evolution.evaluation import trajectories
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.evolution.failure import failure_metric
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Listeners
from autoevol.program.records import Row
from autoevol.program.roles import Role, Roles
from autoevol.program.row_ids import RowIds
from autoevol.signatures import Method
from tests.support.generating import Model, longer


@pytest.mark.parametrize("names", [["a", "b"], ["1", "1.1", "1.1.1"]])
def test_the_stages_of_a_row_are_its_own(names: list[str]) -> None:
    rows = [Row(name, name, f"List facts about number {name}.") for name in names]
    model = Model(longer)
    pipeline = Pipeline(
        Roles(*(Role(model, "m") for _ in range(4))),
        failure_metric([], []),
        responds=False,
        ids=RowIds.unique_among(names),
    )
    work = trajectories(
        Evolver(Method("m", "Rewrite it.")), rows, pipeline, Listeners(), length=3, phase="batch"
    )

    chains = {chain.id: chain.stages for chain in asyncio.run(work)}

    assert list(chains) == names
    for row in rows:
        assert len(chains[row.id]) == 4
        assert all(stage.startswith(row.instruction) for stage in chains[row.id])
