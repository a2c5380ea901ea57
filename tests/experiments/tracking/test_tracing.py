"""The share of calls that is traced is known beforehand, and none of those is lost."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import yaml

from autoevol.program.draws import DRAWS, draw_number

ROWS, SHARE = 40, 0.3


def test_as_many_calls_are_traced_as_their_draws_say(
    write_config: Callable[..., Path], workplace: Path, store: Path
) -> None:
    uri = f"sqlite:///{store}/mlflow.db"
    settings = {"tracking_uri": uri, "experiment": "traced", "trace_sampling": SHARE}
    (workplace / "mlflow.yaml").write_text(yaml.safe_dump(settings))
    config = write_config(
        ROWS, optimizer={"name": "none"}, evolve={"methods": ["weak"], "respond": False}
    )

    command = [sys.executable, "-m", "autoevol", "run", str(config)]
    subprocess.run(command, check=True, capture_output=True)

    draws = [draw_number("row", f"seed-{i}", 1, 0) for i in range(1, ROWS + 1)]
    due = sum(draw < SHARE * DRAWS for draw in draws)
    client = mlflow.MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'traced'")
    traces = client.search_traces([experiment.experiment_id], max_results=ROWS)
    assert 0 < due < ROWS
    assert len(traces) == due
    assert {trace.info.state for trace in traces} == {"OK"}
