"""The run looks at its evolver first, and treats suspects by what it has seen."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.run.wiring import pipeline_of
from autoevol.program.evolution.pipeline import Pipeline
from tests.support.command_line import rows_of, run_cli, summary_of
from tests.support.loopback import Answer, ReceivedRequest, answering, good_reply, openai_reply

WriteConfig = Callable[..., Path]
RUN = Path("runs/test")
ROWS = 30


def copying(request: ReceivedRequest) -> Answer:
    """Answer as an evolver that copies; every third rewrite adds next to nothing."""
    user = request.body["messages"][-1]["content"]
    row = user.split("\n")[1]
    if int("".join(filter(str.isdigit, row))) % 3 == 0:
        return 200, openai_reply(row.replace("List", "List out"))
    return 200, good_reply(request)


def rewording(request: ReceivedRequest) -> Answer:
    """Answer as an evolver that rewords; every rewrite is suspected."""
    number = "".join(filter(str.isdigit, request.body["messages"][-1]["content"]))
    return 200, openai_reply(f"Enumerate the {number} mightiest waterways on that continent.")


def configured(write_config: WriteConfig, url: str, **sections: Any) -> str:
    evolver = {"model": "hosted_vllm/m", "api_base": url, "concurrency": 4}
    return str(
        write_config(
            ROWS,
            models={"evolver": evolver},
            optimizer={"name": "none"},
            evolve={"methods": ["weak"], "respond": False},
            **sections,
        )
    )


def look() -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((RUN / "run.json").read_text())["evolver"]
    return figures


def test_suspects_of_an_evolver_that_rewords_are_kept(write_config: WriteConfig) -> None:
    with answering(rewording) as server:
        result = run_cli("run", configured(write_config, server.url), expected=0)
        # The rewrites that were looked at are those of the run: none is paid twice.
        assert len(server.requests) == ROWS
    assert "the evolver rewords" in result.out
    assert look()["rewrites"] == ROWS
    summary = summary_of(RUN)
    assert (summary["rows_out"], summary["rows_suspected"]) == (ROWS, ROWS)
    assert summary["rows_failed"] == summary["rows_failed_suspected"] == 0
    assert summary["suspected_by_rule"]["restated"] == {"kept": ROWS, "dropped": 0}
    assert summary["evolver"]["class"] == "rewords"
    assert all(row["suspected_by"] for row in rows_of(RUN / "evolved.jsonl"))
    page = (RUN / "report.html").read_text()
    assert "Suspects by rule" in page
    assert "mightiest waterways" in page


def test_suspects_of_an_evolver_that_copies_are_dropped(write_config: WriteConfig) -> None:
    with answering(copying) as server:
        result = run_cli("run", configured(write_config, server.url), expected=0)
    assert "the evolver copies" in result.out
    summary = summary_of(RUN)
    assert (summary["rows_out"], summary["rows_failed"]) == (20, 10)
    assert (summary["rows_suspected"], summary["rows_failed_suspected"]) == (0, 10)
    failures = rows_of(RUN / "failures.jsonl")
    assert {row["status"] for row in failures} == {"suspected"}
    assert "restated" not in {reason["rule"] for row in failures for reason in row["reasons"]}


def test_a_resumed_run_keeps_the_class(write_config: WriteConfig) -> None:
    with answering(rewording) as server:
        config = configured(write_config, server.url)
        run_cli("run", config, expected=0)
        identity = json.loads((RUN / "run.json").read_text())
        identity["evolver"] = {"kept": 0.9, "rewrites": 32}
        (RUN / "run.json").write_text(json.dumps(identity))
        (RUN / "summary.json").unlink()
        result = run_cli("run", config, expected=0)
        assert len(server.requests) == ROWS
    assert "the evolver copies" in result.out
    assert look() == {"kept": 0.9, "rewrites": 32}


def test_nobody_looks_where_the_config_says_what_to_do(write_config: WriteConfig) -> None:
    with answering(rewording) as server:
        config = configured(write_config, server.url, failure={"suspects": "drop"})
        result = run_cli("run", config, expected=0)
    assert "the evolver" not in result.out
    assert look() is None
    assert summary_of(RUN)["rows_failed_suspected"] == ROWS


def test_a_search_looks_at_its_own_rows(write_config: WriteConfig) -> None:
    with answering(lambda request: (200, good_reply(request))) as server:
        evolver = {"model": "hosted_vllm/m", "api_base": server.url, "concurrency": 4}
        search = {"steps": 1, "batch_size": 4, "candidates": 1}
        config = write_config(ROWS, models={"evolver": evolver}, optimizer=search)
        result = run_cli("run", str(config), expected=0)
    assert "the evolver copies" in result.out
    assert look()["rewrites"] == 24  # 12 dev and 12 held-out rows


def test_a_later_first_round_pays_for_no_call_twice(write_config: WriteConfig) -> None:
    with answering(rewording) as server:
        config = configured(write_config, server.url)
        evolve = "evolve={methods: [weak], respond: false, first_round: 2}"
        run_cli("run", config, "--set", evolve, expected=0)
        assert len(server.requests) == ROWS


def test_a_look_at_an_outage_is_taken_again(write_config: WriteConfig) -> None:
    def failing(request: ReceivedRequest) -> Answer:
        is_down = request.number < 45 and request.number % 3
        return (500, "oops") if is_down else copying(request)

    with answering(failing) as server:
        config = configured(write_config, server.url)
        bad_day = ("--set", "models.evolver.attempts=1")
        run_cli("run", config, *bad_day)
        assert look() is None
        run_cli("run", config, *bad_day, expected=0)
    assert look()["rewrites"] >= 20
    assert summary_of(RUN)["rows_failed_suspected"] > 0


def test_what_is_no_rewrite_says_nothing_of_the_evolver(write_config: WriteConfig) -> None:
    def half(request: ReceivedRequest) -> Answer:
        number = int("".join(filter(str.isdigit, request.body["messages"][-1]["content"])))
        return (
            (200, openai_reply("Sure! The Volga is first."))
            if number % 3 == 0
            else copying(request)
        )

    with answering(half) as server:
        run_cli("run", configured(write_config, server.url), expected=0)
    assert look()["rewrites"] == 20
    assert look()["kept"] > 0.9


def test_the_rows_of_a_local_models_block_are_rewritten_at_the_same_time(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_one_block(*arguments: Any) -> Pipeline:
        return replace(pipeline_of(*arguments), block_rows=8, blocks_in_flight=1)

    monkeypatch.setattr("autoevol.experiments.run.runner.pipeline_of", in_one_block)
    four = threading.Barrier(4, timeout=20)

    def respond(request: ReceivedRequest) -> Answer:
        if request.number < 4:
            four.wait()
        return copying(request)

    with answering(respond) as server:
        run_cli("run", configured(write_config, server.url), expected=0)
        assert len(server.requests) == ROWS
    assert not four.broken


def test_breadth_methods_tell_nothing_of_the_evolver(write_config: WriteConfig) -> None:
    with answering(rewording) as server:
        config = configured(write_config, server.url)
        evolve = "evolve={methods: [breadth], respond: false}"
        result = run_cli("run", config, "--set", evolve, expected=0)
        assert len(server.requests) == ROWS
    assert (
        "the evolver made too few rewrites to tell whether it copies its seeds (0 sound ones of 0"
        in result.out
    )
    assert look() == {"kept": 0.0, "rewrites": 0, "looked": 0}
