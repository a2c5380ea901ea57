"""A role behind several addresses: they share its calls, may come and go, and serve one model."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.models.hosted.endpoints import Admissions
from autoevol.experiments.models.limits.pool import Endpoint, EndpointPool
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.settings import Address, ModelSettings, members_of
from tests.support.command_line import Result, rows_of, run_cli, summary_of
from tests.support.loopback import (
    Answer,
    Loopback,
    ReceivedRequest,
    answering,
    good_reply,
    openai_reply,
)
from tests.support.wires import GOOD, Scripted

WriteConfig = Callable[..., Path]
ROWS = 40
MODEL = {"m": "owner/model"}
RUN = Path("runs/test")


def sound(request: ReceivedRequest) -> Answer:
    time.sleep(0.01)
    return 200, good_reply(request)


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


@contextmanager
def servers(*answers: Callable[[ReceivedRequest], Answer]) -> Iterator[list[Loopback]]:
    """Serve one model at several addresses."""
    with ExitStack() as stack:
        yield [stack.enter_context(answering(answer, serves=MODEL)) for answer in answers]


def urls(loopbacks: Sequence[Loopback]) -> list[str]:
    return [f"{loopback.url}/v1" for loopback in loopbacks]


@pytest.fixture
def evolve(write_config: WriteConfig) -> Callable[..., Result]:
    """Return a command that evolves all rows once at some addresses."""

    def run(bases: Any, *options: str, expected: int = 0, **settings: Any) -> Result:
        evolver = {"model": "hosted_vllm/m", "api_base": bases, "concurrency": 4, "backoff": 0.001}
        config = write_config(
            ROWS,
            models={"evolver": {**evolver, **settings}},
            optimizer={"name": "none"},
            evolve={"methods": ["weak"], "respond": False},
        )
        return run_cli("run", str(config), *options, expected=expected)

    return run


def test_all_addresses_take_calls_and_each_call_is_made_once(evolve: Callable[..., Result]) -> None:
    with servers(sound, sound, sound) as three:
        evolve(urls(three))
    assert summary_of(RUN)["rows_out"] == ROWS
    counts = [len(server.requests) for server in three]
    assert sum(counts) == ROWS
    assert min(counts) > ROWS / 6


def test_the_order_of_the_rows_and_their_texts_are_those_of_one_address(
    evolve: Callable[..., Result],
) -> None:
    with servers(sound, sound) as two:
        evolve(urls(two), "--out", "runs/two")
        evolve(urls(two)[0], "--out", "runs/one")
    files = [Path("runs", name, "evolved.jsonl").read_bytes() for name in ("one", "two")]
    assert files[0] == files[1]


def test_addresses_come_and_go_and_no_call_is_paid_again(evolve: Callable[..., Result]) -> None:
    with servers(sound, sound, sound) as three:
        first, second, third = urls(three)
        evolve([first, second], "--set", "budget.calls=25", expected=3)
        evolve([second, {"url": third, "concurrency": 2, "weight": 1}])
        assert sum(len(server.requests) for server in three) == ROWS
        assert len(three[2].requests) > 0
        Path(RUN, "evolved.jsonl").unlink()
        evolve([third])
        assert sum(len(server.requests) for server in three) == ROWS
    # All servers are away, and nothing is left to ask them.
    Path(RUN, "evolved.jsonl").unlink()
    evolve([first, third])
    assert len(rows_of(RUN / "evolved.jsonl")) == ROWS


def test_one_address_and_a_list_are_two_runs(evolve: Callable[..., Result]) -> None:
    """A single address is part of its calls' keys, as ever; those of a list are not."""
    with servers(sound) as one:
        evolve(urls(one))
        refused = evolve(urls(one)[0], expected=2)
    assert "a run with another models.evolver.api_base" in refused.err


def test_a_slow_address_gets_fewer_calls(evolve: Callable[..., Result]) -> None:
    def slow(request: ReceivedRequest) -> Answer:
        time.sleep(0.15)
        return 200, good_reply(request)

    with servers(sound, slow) as (fast, late):
        evolve(urls([fast, late]))
    assert 0 < len(late.requests) < len(fast.requests) / 2


def pool_of(*addresses: Address) -> tuple[EndpointPool, list[Endpoint]]:
    """Return the endpoints of some addresses, which nobody calls."""
    stop = StopSignal()
    admissions = Admissions(stop)
    endpoints = [
        Endpoint(Scripted(lambda _: GOOD), admissions.of(member.api_base, member), member.share)
        for member in members_of(ModelSettings("hosted_vllm/m", addresses, role="evolver"))
    ]
    return EndpointPool("m", endpoints, stop), endpoints


def test_weights_divide_the_calls() -> None:
    pool, (light, heavy) = pool_of(Address("http://a", 16, 1), Address("http://b", 16, 3))

    async def admit(count: int) -> None:
        for _ in range(count):
            await pool.admit(1.0)

    asyncio.run(admit(16))
    assert (light.admission.load, heavy.admission.load) == (4, 12)


def test_limits_hold_for_all_addresses_together_and_one_may_use_them_alone() -> None:
    addresses = (Address("http://a", 10), Address("http://b", 30))
    role = ModelSettings("hosted_vllm/m", addresses, role="evolver", requests_per_minute=60)
    assert role.in_flight == 40
    admissions = Admissions(StopSignal())
    gates = [admissions.of(member.api_base, member, "together").gate for member in members_of(role)]
    now = 0.0
    for number in range(20):
        now += gates[0].wait_s(now)
        # The other one is down for the last half: its part of the limit is not lost.
        gates[number % 2 if number < 10 else 0].record_start(now, 1)
        assert gates[0].wait_s(now) == gates[1].wait_s(now) > 0
    assert now == pytest.approx(19.0)
    (alone,) = members_of(replace(role, api_base="http://a"))
    assert admissions.of("http://a", alone).gate.wait_s(now) == 0


def test_an_address_that_is_down_is_left_out_and_comes_back(evolve: Callable[..., Result]) -> None:
    port = free_port()
    is_back = threading.Event()

    def steady(request: ReceivedRequest) -> Answer:
        time.sleep(0.03)
        return 200, good_reply(request)

    def returning(back: list[Loopback]) -> None:
        while len(usual.requests) < 8:
            time.sleep(0.005)
        with answering(sound, serves=MODEL, port=port) as server:
            back.append(server)
            is_back.wait(60)

    back: list[Loopback] = []
    with servers(steady) as (usual,):
        thread = threading.Thread(target=returning, args=(back,))
        thread.start()
        result = evolve([*urls([usual]), address(port)], concurrency=2)
        is_back.set()
        thread.join()
    assert f"http://127.0.0.1:{port}/v1 is left out, the others get its requests" in result.out
    assert f"http://127.0.0.1:{port}/v1 answers again" in result.out
    assert len(back[0].requests) > 0
    assert len(usual.requests) + len(back[0].requests) == ROWS
    summary = summary_of(RUN)
    assert (summary["rows_out"], summary["rows_unscored"], summary["calls"]) == (ROWS, 0, ROWS)


def test_what_one_address_refuses_another_answers(evolve: Callable[..., Result]) -> None:
    def broken(request: ReceivedRequest) -> Answer:
        return 500, {"error": {"message": "out of memory"}}

    def locked(request: ReceivedRequest) -> Answer:
        time.sleep(0.02)  # the others have answered by then
        return 401, {"error": {"message": "invalid api key"}}

    with servers(sound, broken, locked) as (usual, *_):
        evolve(urls([usual, *_]), attempts=3)
    assert summary_of(RUN)["rows_unscored"] == 0
    assert len(usual.requests) == ROWS


def test_a_key_that_all_refuse_ends_the_run(evolve: Callable[..., Result]) -> None:
    def locked(_: ReceivedRequest) -> Answer:
        return 401, {"error": {"message": "invalid api key"}}

    with servers(locked, locked) as two:
        refused = evolve(urls(two), expected=2)
    assert "models.evolver.api_key_env" in refused.err


def test_addresses_that_serve_different_models_are_refused(evolve: Callable[..., Result]) -> None:
    with (
        answering(sound, serves=MODEL) as one,
        answering(sound, serves={"m": "owner/other"}) as other,
    ):
        refused = evolve(urls([one, other]), expected=2)
        assert refused.err.strip() == (
            f"models.evolver.api_base: must all serve one model, and {one.url}/v1 serves "
            f"owner/model, {other.url}/v1 serves owner/other"
        )
        assert one.requests == other.requests == []


def test_a_server_without_the_model_is_refused(evolve: Callable[..., Result]) -> None:
    with answering(sound, serves=MODEL) as one, answering(sound, serves={"a": "", "b": ""}) as two:
        refused = evolve(urls([one, two]), expected=2)
    assert f"{two.url}/v1 serves a, b, not m" in refused.err


def test_a_server_of_one_model_answers_to_any_name(evolve: Callable[..., Result]) -> None:
    """As llama.cpp does."""
    with answering(sound, serves={"file.gguf": ""}) as one:
        evolve(urls([one]))
    assert summary_of(RUN)["rows_out"] == ROWS


def test_a_server_that_says_no_more_than_the_name_is_taken_at_it(
    evolve: Callable[..., Result],
) -> None:
    with servers(sound) as (full,), answering(sound, serves={"m": ""}) as bare:
        evolve(urls([full, bare]), "--set", "budget.calls=25", expected=3)
        assert bare.requests
        # Alone it says less than before, and no call is made anew.
        evolve(urls([bare]))
        assert len(full.requests) + len(bare.requests) == ROWS


def test_servers_that_list_no_models_are_used(evolve: Callable[..., Result]) -> None:
    with answering(sound) as one, answering(sound) as two:
        evolve(urls([one, two]))
    assert len(one.requests) + len(two.requests) == ROWS


def test_an_address_that_comes_back_with_another_model_gets_no_call(
    evolve: Callable[..., Result],
) -> None:
    """Nobody answers there at first, so it cannot be asked."""
    port, is_over = free_port(), threading.Event()
    other: list[Loopback] = []

    def serve() -> None:
        while len(usual.requests) < 5:
            time.sleep(0.005)
        with answering(sound, serves={"m": "owner/other"}, port=port) as server:
            other.append(server)
            is_over.wait(60)

    def steady(request: ReceivedRequest) -> Answer:
        time.sleep(0.03)
        return 200, good_reply(request)

    with servers(steady) as (usual,):
        thread = threading.Thread(target=serve)
        thread.start()
        result = evolve([*urls([usual]), address(port)], concurrency=2)
        is_over.set()
        thread.join()
    line = f"{address(port)} serves owner/other by now, and gets no calls"
    assert result.out.count(line) == 1
    assert other[0].requests == []
    assert len(usual.requests) == ROWS


def test_a_model_that_changed_between_two_tries_is_asked_anew(
    evolve: Callable[..., Result],
) -> None:
    with answering(sound, serves=MODEL) as before:
        evolve(urls([before]), "--set", "budget.calls=25", expected=3)
    with answering(sound, serves={"m": "owner/newer"}) as after:
        result = evolve(urls([after]))
    assert "was owner/model and is owner/newer now: calls are made anew" in result.out
    assert len(after.requests) == ROWS


def test_nobody_answers_at_any_address(
    evolve: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoevol.experiments.models.hosted.served.PATIENCE_S", 0.0)
    bases = [address(free_port()), address(free_port())]
    refused = evolve(bases, expected=2)
    assert refused.err.strip() == (
        f"models.evolver.api_base: nothing answers at {bases[0]}, {bases[1]}; "
        "check them and the servers"
    )


def test_a_fallback_answers_only_where_all_addresses_are_down(
    evolve: Callable[..., Result],
) -> None:
    def broken(_: ReceivedRequest) -> Answer:
        return 503, {"error": {"message": "busy"}}

    def mine(request: ReceivedRequest) -> Answer:
        return 200, good_reply(request)

    with answering(mine) as fallback:
        others = {"model": "hosted_vllm/f", "api_base": f"{fallback.url}/v1"}
        with servers(sound, broken) as two:
            evolve(urls(two), "--out", "runs/one-up", fallbacks=[others])
            assert fallback.requests == []
        with servers(broken, broken) as two:
            evolve(urls(two), "--out", "runs/all-down", fallbacks=[others], attempts=2)
        assert len(fallback.requests) == ROWS


def test_a_late_call_is_hedged_at_another_address(evolve: Callable[..., Result]) -> None:
    def hanging(request: ReceivedRequest) -> Answer:
        if request.number == 0:
            time.sleep(3)
            return 200, openai_reply("too late")
        return sound(request)

    with servers(hanging, sound) as two:
        evolve(urls(two), hedge_after=0.3)
    summary = summary_of(RUN)
    assert summary["faults"] == {"hedged": 1}
    texts = [row["instruction"] for row in rows_of(RUN / "evolved.jsonl")]
    assert "too late" not in texts


@pytest.mark.parametrize(
    ("base", "problem"),
    [
        ([], "models.evolver.api_base: is an empty list; name an address, or leave the key out"),
        (["x"], "models.evolver.api_base.0.url: must be an address such as http://localhost"),
        (7, "models.evolver.api_base: must be an address, or a list of addresses"),
        (["http://a/v1", "http://a/v1/"], "models.evolver.api_base: names an address twice"),
        ([{"ur": "http://a/v1"}], "models.evolver.api_base.0.ur: unknown key; did you mean 'url'?"),
        ([{"url": "http://a/v1", "weight": 0}], "models.evolver.api_base.0.weight: "),
        (["http://me:hush@a/v1"], "holds a password; keys come from the environment"),
    ],
)
def test_a_wrong_list_is_one_line(base: Any, problem: str, evolve: Callable[..., Result]) -> None:
    refused = evolve(base, "--dry-run", expected=2)
    assert problem in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert "hush" not in refused.err
    assert not RUN.exists()


def test_a_list_is_not_for_a_model_in_this_process(evolve: Callable[..., Result]) -> None:
    model = "local/qwen2.5-coder-0.5b-instruct"
    refused = evolve(["http://a/v1"], "--dry-run", expected=2, model=model)
    assert "models.evolver.api_base: has no effect for local/" in refused.err


def test_the_folder_names_the_addresses(evolve: Callable[..., Result]) -> None:
    with servers(sound, sound) as two:
        evolve(urls(two))
        stored = (RUN / "config.yaml").read_text()
        assert all(url in stored for url in urls(two))
        assert json.loads((RUN / "summary.json").read_text())["calls"] == ROWS
