"""What every test gets: no network but loopback, no settings of this machine, one MLflow store."""

import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autoevol.environment import DEFAULTS

os.environ.pop("COLUMNS", None)  # xdist sets it for its workers; a console would keep it
os.environ.update({**DEFAULTS, "HF_HUB_OFFLINE": "1"})

import dspy
import pytest
import yaml

from tests.support.command_line import run_cli

LOOPBACK = ("127.0.0.1", "::1", "localhost")
REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise OSError(f"tests may not connect to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _clean_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test fresh DSPy settings and no API keys."""
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    with dspy.context(lm=None, adapter=None):
        yield


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the session's MLflow store; a fresh store costs seconds."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture
def workplace(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder whose mlflow.yaml points to the session's store."""
    uri = f"sqlite:///{store}/mlflow.db"
    settings = {"tracking_uri": uri, "trace_sampling": 0.0}
    # For the tests' own clients; a run names its store to MLflow in each call.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    (tmp_path / "mlflow.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write_seeds(workplace: Path) -> Callable[[int], Path]:
    """Return a writer of a JSONL file with some seeds."""

    def write(count: int) -> Path:
        file = workplace / "seeds.jsonl"
        lines = [
            json.dumps(
                {"id": f"seed-{i}", "instruction": f"List the {i} largest rivers of Europe."}
            )
            for i in range(1, count + 1)
        ]
        file.write_text("\n".join(lines) + "\n")
        return file

    return write


@pytest.fixture
def write_config(workplace: Path, write_seeds: Callable[[int], Path]) -> Callable[..., Path]:
    """Return a writer of a config on the scripted world; keyword arguments replace sections."""

    def write(rows: int = 30, **sections: Any) -> Path:
        tree: dict[str, Any] = {
            "name": "test",
            "models": {"evolver": {"model": "scripted/world", "concurrency": 4}},
            "data": {
                "path": write_seeds(rows).name,
                "train_size": 6,
                "dev_size": 12,
                "heldout_size": 12,
            },
            "optimizer": {"steps": 2, "batch_size": 4, "candidates": 4},
            "evolve": {"methods": ["weak"]},
        }
        tree.update(sections)
        file = workplace / "test.yaml"
        file.write_text(yaml.safe_dump({k: v for k, v in tree.items() if v is not None}))
        return file

    return write


@pytest.fixture(scope="session")
def finished_runs() -> dict[str, Path]:
    """Return finished runs of this session by their rows and config."""
    return {}


@pytest.fixture
def finish(
    write_config: Callable[..., Path],
    finished_runs: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Path]:
    """Return a writer of a config whose run, or matrix, is finished: in `runs`, as usual.

    Each config runs once a session; later tests get a copy. They share its MLflow run, so a test
    that looks into MLflow runs its own.
    """

    def finished(rows: int = 30, **sections: Any) -> Path:
        config = write_config(rows, **sections)
        key = f"{rows} rows\n{config.read_text()}"
        if key in finished_runs:
            shutil.copytree(finished_runs[key], "runs")
        else:
            run_cli("run", str(config), expected=0)
            finished_runs[key] = tmp_path_factory.mktemp("finished") / "runs"
            shutil.copytree("runs", finished_runs[key])
        return config

    return finished


@pytest.fixture
def _listening_to_ctrl_c() -> Iterator[None]:
    """Restore Python's handler: a process in the background starts with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
