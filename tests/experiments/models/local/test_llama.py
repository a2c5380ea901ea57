"""Settings of the local server that need no model."""

import os
import time
from pathlib import Path

import pytest

from autoevol.experiments.models.local import idle_cores
from autoevol.experiments.models.local.idle_cores import cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process")
def test_a_process_that_is_bound_to_one_core_starts_one_thread() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system tells no core")
def test_a_busy_machine_gets_fewer_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"cpu{number}" for number in sorted(os.sched_getaffinity(0))]
    stat = tmp_path / "stat"
    monkeypatch.setattr(idle_cores, "_STAT", stat)

    def sampled(idle: int, busy: int) -> int:
        lines = [f"{name} {{busy}} 0 0 {{idle}} 0 0 0 0" for name in names]
        stat.write_text("cpu 1 1 1 1\n" + "\n".join(lines).format(busy=10, idle=10))
        later = "cpu 9 9 9 9\n" + "\n".join(lines).format(busy=10 + busy, idle=10 + idle)
        monkeypatch.setattr(time, "sleep", lambda _: stat.write_text(later))
        return idle_cores.idle_cores()

    assert sampled(idle=40, busy=0) == len(names)
    assert sampled(idle=0, busy=40) == 1
    assert sampled(idle=38, busy=2) == len(names)
    stat.unlink()
    assert idle_cores.idle_cores() == len(names)
