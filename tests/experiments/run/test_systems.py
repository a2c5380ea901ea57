"""The published systems as shipped configs: each runs, and does what its original does."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from autoevol.experiments.config.experiment import ExperimentConfig, load_config
from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.program.search.settings import PAPER
from autoevol.signatures import shipped_methods
from tests.conftest import REPOSITORY
from tests.support.command_line import rows_of, run_cli

CONFIGS = REPOSITORY / "experiments" / "configs"
SYSTEMS = (
    "auto-evol",
    "auto-evol-ko",
    "koevol",
    "wizardlm",
    "wizardcoder",
    "wizardmath",
    "slm-evol",
    "slm-auto-evol",
    "h2o",
)
DEPTH = {"constraints", "deepen", "concretize", "reasoning", "complicate"}
MORE = " Then compare two other approaches and justify every decision with evidence."


def sound(messages: Sequence[Message], draw: int) -> str:
    """Rewrite by adding a sentence that differs with every draw, answer at length."""
    system, user = messages[0]["content"], messages[-1]["content"]
    if "are_equal" in system:
        return "[[ ## are_equal ## ]]\nFalse\n\n[[ ## completed ## ]]"
    if system.startswith("Answer the instruction"):
        return f"A full answer to all of it, with every step and its reason, number {draw}."
    if "thinking" in system and "Your output fields" in system:
        row = user.split("]]\n", 1)[1].split("\n\nRespond", 1)[0].strip()
        thinking = f"[[ ## thinking ## ]]\nfour steps\n\n[[ ## evolved_instruction ## ]]\n{row}"
        return f"{thinking}{MORE}\n\n[[ ## completed ## ]]"
    row = user.removeprefix("Instruction:\n").rsplit("\n\n", 1)[0]
    return (
        f"{row} Also weigh variant {draw % 9973} and variant {draw % 8887} against it, with care."
    )


def config_of(system: str) -> ExperimentConfig:
    return load_config(CONFIGS / f"{system}.yaml")


def run_system(system: str, *more: str, script: str = "sound", limit: int | None = 6) -> Path:
    """Run a shipped config on a scripted model and return the run's folder."""
    config = config_of(system)
    folder = Path("runs") / system
    roles = ("evolver", "responder", "optimizer", "judge")
    models = [f"models.{role}.model=scripted/{script}" for role in roles]
    sets = [*models, f"data.path={REPOSITORY / config.data.path}", *more]
    arguments = [part for setting in sets for part in ("--set", setting)]
    small = ["--limit", str(limit)] if limit else []
    run_cli(
        *("run", str(CONFIGS / f"{system}.yaml"), "--out", str(folder), "--yes", *small),
        *arguments,
        expected=0,
    )
    return folder


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scripted.SCRIPTS, "sound", sound)


def test_every_system_has_a_config_named_after_it() -> None:
    for system in SYSTEMS:
        assert config_of(system).name == system


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("script", ["sound", "world"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_runs_end_to_end_and_loses_no_row(system: str, script: str) -> None:
    folder = run_system(system, script=script)
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    kept, failed = rows_of(folder / "evolved.jsonl"), rows_of(folder / "failures.jsonl")
    for count in summary["rounds"]:
        of_round = [r for r in (*kept, *failed) if r["round"] == count["round"]]
        assert count["entered"] == count["kept"] + count["failed"] + count["unscored"]
        assert len(of_round) == count["entered"]
    assert len({row["id"] for row in kept}) == len(kept)
    assert summary["rows_unscored"] == 0
    if script == "sound":
        assert kept
        assert (folder / "exports").is_dir()


def test_the_papers_config_is_its_algorithm() -> None:
    config = config_of("auto-evol")
    search = config.optimizer
    assert (search.steps, search.batch_size, search.candidates) == (10, 10, 5)
    assert (search.trajectory_rounds, config.data.dev_size) == (1, 50)
    assert search.model_dump().items() >= PAPER.items()
    assert (config.failure.evolve, config.failure.respond) == ([], ["paper"])
    assert (config.models.optimizer.temperature, config.models.optimizer.top_p) == (0.6, 0.95)
    assert config.evolve.rounds == 1


@pytest.mark.usefixtures("workplace")
def test_auto_evol_in_korean_analyses_once_a_step_and_has_no_incumbent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    questions: Counter[str] = Counter()

    def worse(messages: Sequence[Message], draw: int) -> str:
        system = messages[0]["content"]
        for name in ("You review a method", "You improve a method"):
            if system.startswith(name):
                questions[name] += 1
                return f"Rewrite the instruction into a harder one, in manner {draw}."
        if system.startswith("Answer the instruction") and "harmed" in messages[-1]["content"]:
            return "IDK"
        return sound(messages, draw) + (" A harmed one." if "in manner" in system else "")

    monkeypatch.setitem(scripted.SCRIPTS, "worse", worse)
    config = config_of("auto-evol-ko")
    folder = run_system(
        "auto-evol-ko",
        "optimizer.steps=2",
        "optimizer.initial_method=weak",
        script="worse",
        limit=None,
    )
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert questions == {"You review a method": 2, "You improve a method": 10}
    assert summary["accepted_steps"] == 2
    assert summary["failure_rate_initial"]["rate"] == 0
    assert summary["failure_rate_best"]["rate"] == 1
    assert (config.optimizer.steps, config.optimizer.trajectory_rounds) == (3, 3)
    assert config.failure.respond == ["joonavel"]


@pytest.mark.usefixtures("workplace")
def test_koevol_writes_korean_keeps_its_trace_and_filters_answers_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    systems: set[str] = set()

    def talks_of_models(messages: Sequence[Message], draw: int) -> str:
        system = messages[0]["content"]
        if system.startswith("Answer the instruction"):
            assert "IDK" in system
            return "IDK" if draw % 2 else "OpenAI made GPT, and that is a full answer."
        if "are_equal" not in system:
            systems.add(system)
        return sound(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "models", talks_of_models)
    folder = run_system("koevol", script="models", limit=30)
    kept, failed = rows_of(folder / "evolved.jsonl"), rows_of(folder / "failures.jsonl")
    methods = shipped_methods()
    digits = {"".join(methods[name].digit for name in row["trace"]) for row in kept}
    assert all("Korean" in system for system in systems)
    assert len(systems) == 6
    assert {len(trace) for trace in digits} == {1, 2}
    assert set("".join(digits)) == set("012345")
    assert any("OpenAI" in row["response"] for row in kept)
    assert {row["reasons"][0]["evidence"] for row in failed} == {"IDK"}
    assert all(row["origin"] and row["root"] for row in kept)
    run_cli("convert", f"{folder}/evolved.jsonl", "koevol.json", "--to", "koevol", expected=0)
    table = json.loads(Path("koevol.json").read_text("utf-8"))
    traces = [row[table["columns"].index("trace")] for row in table["data"]]
    assert traces == ["r" + "".join(methods[name].digit for name in row["trace"]) for row in kept]


@pytest.mark.usefixtures("workplace")
def test_wizardlm_returns_failed_rows_to_the_pool_unchanged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def equal_at_first(messages: Sequence[Message], draw: int) -> str:
        system, user = messages[0]["content"], messages[-1]["content"]
        if "are_equal" in system:
            is_equal = user.count("Also weigh") == 1 and len(user) % 3 == 0
            return f"[[ ## are_equal ## ]]\n{is_equal}\n\n[[ ## completed ## ]]"
        if system.startswith("Answer the instruction") and draw % 5 == 0:
            return "Sorry, I cannot do that."
        return sound(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "equal", equal_at_first)
    folder = run_system("wizardlm", script="equal", limit=40)
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    kept, failed = rows_of(folder / "evolved.jsonl"), rows_of(folder / "failures.jsonl")
    assert [count["entered"] for count in summary["rounds"]] == [40] * 4
    assert {row["method"] for row in kept} == DEPTH | {"breadth"}
    assert {r["rule"] for row in failed for r in row["reasons"]} == {"equal", "short_apology"}
    first = next(row for row in failed if row["round"] == 1)
    again = [row for row in (*kept, *failed) if row["round"] == 2]
    assert first["parent_id"] in {row["parent_id"] for row in again}


@pytest.mark.usefixtures("workplace")
def test_wizardcoder_prunes_by_length_and_ascii_and_does_not_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def some_short(messages: Sequence[Message], draw: int) -> str:
        system = messages[0]["content"]
        if not system.startswith("Answer the instruction") and draw % 3 == 0:
            return "Do it now." if draw % 2 else "–Do it in linear time, please."
        return sound(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "short", some_short)
    seeds = Path("answered.jsonl")
    shipped = rows_of(REPOSITORY / "data" / "seeds_en_ko.jsonl")
    lines = (json.dumps({**seed, "response": "def f(): ..."}) for seed in shipped)
    seeds.write_text("\n".join(lines), "utf-8")
    folder = run_system("wizardcoder", f"data.path={seeds.absolute()}", script="short", limit=20)
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    kept, failed = rows_of(folder / "evolved.jsonl"), rows_of(folder / "failures.jsonl")
    rounds = summary["rounds"]
    assert len(rounds) == 3
    assert [count["entered"] for count in rounds[1:]] == [count["kept"] for count in rounds[:-1]]
    assert {r["rule"] for row in failed for r in row["reasons"]} == {"teacher_instruction"}
    methods = config_of("wizardcoder").evolve.methods
    assert {row["method"] for row in kept} == {method.name for method in methods}
    exported = rows_of(folder / "exports" / "alpaca.jsonl")
    assert len(exported) == len(kept) + summary["rows_in"]
    assert set(exported[0]) == {"id", "instruction", "input", "output", "root", "lang"}


def test_wizardmath_goes_down_twice_and_up_three_times() -> None:
    config, methods = config_of("wizardmath"), shipped_methods()
    kinds = [{methods[entry.name].kind for entry in round_} for round_ in config.evolve.schedule]
    easier, harder = {"down", "breadth"}, {"depth"}  # an easier question on another topic is new
    assert kinds == [easier, easier, harder, harder, harder]
    assert config.evolve.rounds == 5
    assert config.evolve.children == (6, 1)
    assert config.models.evolver.temperature == 0.7


@pytest.mark.usefixtures("workplace")
def test_slm_evol_takes_the_operators_in_turn_and_carries_the_input() -> None:
    folder = run_system("slm-evol", limit=None)
    kept = rows_of(folder / "evolved.jsonl")
    seeds = rows_of(REPOSITORY / "data" / "seeds_with_input.jsonl")
    index = {seed["id"]: number for number, seed in enumerate(seeds)}
    order = ["constraints", "deepen", "concretize", "reasoning"]
    assert len(kept) == 3 * len(seeds)
    for row in kept:
        assert row["method"] == order[(index[row["seed_id"]] + row["round"]) % 4]
        assert row["input"] == seeds[index[row["seed_id"]]]["input"]
    assert not rows_of(folder / "failures.jsonl")


@pytest.mark.usefixtures("workplace")
def test_slm_evol_goes_on_from_an_earlier_file_one_round_at_a_time() -> None:
    run_system("slm-evol", limit=None).rename("runs/whole")
    run_system("slm-evol", "evolve.rounds=1", limit=None).rename("runs/first")
    earlier = Path("runs/first/evolved.jsonl").absolute()
    folder = run_system(
        "slm-evol", f"data.path={earlier}", "evolve.first_round=2", "evolve.rounds=1", limit=None
    )
    second = {row["id"]: row["instruction"] for row in rows_of(folder / "evolved.jsonl")}
    expected = {
        row["id"]: row["instruction"]
        for row in rows_of(Path("runs/whole/evolved.jsonl"))
        if row["round"] == 2
    }
    assert second == expected


@pytest.mark.usefixtures("workplace")
def test_slm_auto_evol_drops_what_has_no_final_instruction(monkeypatch: pytest.MonkeyPatch) -> None:
    def marker_missing(messages: Sequence[Message], draw: int) -> str:
        is_first = "largest" in messages[-1]["content"] or draw % 2
        if messages[0]["content"].startswith("Answer") or is_first:
            return sound(messages, draw)
        return "I would make it harder."

    monkeypatch.setitem(scripted.SCRIPTS, "unmarked", marker_missing)
    folder = run_system("slm-auto-evol", script="unmarked", limit=20)
    failed = rows_of(folder / "failures.jsonl")
    assert failed
    assert {r["rule"] for row in failed for r in row["reasons"]} == {"unparsed"}
    assert all(row["thinking"] == "four steps" for row in rows_of(folder / "evolved.jsonl"))


@pytest.mark.usefixtures("workplace")
def test_h2o_goes_on_until_a_prompt_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def sometimes_refused(messages: Sequence[Message], draw: int) -> str:
        if not messages[0]["content"].startswith("Answer") and draw % 4 == 0:
            return "How can I assist you with a new prompt today?"
        return sound(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "refused", sometimes_refused)
    folder = run_system("h2o", script="refused", limit=12)
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    kept = rows_of(folder / "evolved.jsonl")
    answered = [row for row in kept if row["response"]]
    rounds = summary["rounds"]
    assert all(len(row["instruction"].split()) >= 45 or row["round"] == 8 for row in answered)
    assert sum(count["finished"] for count in rounds) >= 10
    for before, after in pairwise(rounds):
        assert after["entered"] == before["entered"] - before["finished"]
    exported = rows_of(folder / "exports" / "alpaca.jsonl")
    assert len(exported) == len(answered)


def test_the_configs_say_what_their_originals_do() -> None:
    trees = {
        name: yaml.safe_load((CONFIGS / f"{name}.yaml").read_text("utf-8")) for name in SYSTEMS
    }
    assert trees["wizardlm"]["failure"] == {"evolve": ["wizardlm"], "respond": ["wizardlm"]}
    assert trees["wizardcoder"]["failure"] == {"rules": ["evol_teacher"]}
    assert trees["wizardcoder"]["models"]["evolver"]["top_p"] == 0.9
    assert trees["koevol"]["evolve"]["rounds"] == 2
    assert trees["koevol"]["models"]["evolver"]["temperature"] == 1.0
    assert trees["slm-evol"]["failure"] == trees["slm-auto-evol"]["failure"] == {"rules": []}
    assert trees["slm-auto-evol"]["evolve"]["methods"] == ["e0"]
    assert all(tree["seed"] == 42 for tree in trees.values())
