"""AutoEvol from Python: a run on rows in memory, and DSPy's own ways of calling and measuring."""

import asyncio
import inspect
from pathlib import Path
from typing import Any

import datasets
import dspy
import numpy
import pandas
import pytest

import autoevol
from autoevol.program.errors import ConfigError, StoppedError
from tests.program.search.test_optimizer import START, failing_unless, optimizer_for, rows
from tests.support.command_line import rows_of

MODEL = "scripted/world"
SEEDS = [f"List the {n} largest rivers of Europe." for n in range(1, 7)]
RECORDS = [{"instruction": seed, "output": "Rhine.", "topic": "rivers"} for seed in SEEDS]


def plain(rows: Any, **options: Any) -> Any:
    options = {"failure": {"rules": []}, **options}
    return autoevol.evolve(rows, model=MODEL, method="weak", **options)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(SEEDS, id="texts"),
        pytest.param(RECORDS, id="records"),
        pytest.param((record for record in RECORDS), id="a generator"),
        pytest.param(pandas.DataFrame(RECORDS), id="a table of pandas"),
        pytest.param(datasets.Dataset.from_list(RECORDS), id="a data set"),
    ],
)
def test_rows_in_memory_come_back_evolved_with_their_account(data: Any, workplace: Path) -> None:
    evolved, account = plain(data)
    assert [row["origin"] for row in evolved] == SEEDS
    assert all(row["instruction"] != row["origin"] and row["response"] for row in evolved)
    assert (account["rows_in"], account["rows_out"], account["failures"]) == (6, 6, [])
    assert sorted(path.name for path in workplace.iterdir()) == ["mlflow.yaml"]


def test_every_row_is_accounted_for(workplace: Path) -> None:
    result = plain([*SEEDS, {"instruction": " "}], data={"invalid": "skip"}, failure={})
    account = result.account
    assert account["rows_in"] + account["rows_rejected"] == 7
    assert len(result.rows) + len(account["failures"]) + account["rows_unscored"] == 6
    assert account["rejected"][0]["problem"] == "instruction must be a text, is empty"


def test_the_same_call_again_pays_nothing_twice(workplace: Path) -> None:
    with pytest.raises(StoppedError):
        plain(SEEDS, folder="runs/mine", budget={"calls": 3})
    first = plain(SEEDS, folder="runs/mine")
    assert first.account["calls_replayed"] >= 3
    again = plain(SEEDS, folder="runs/mine")
    assert again.rows == first.rows == rows_of(Path("runs/mine/evolved.jsonl"))


def test_methods_may_be_names_and_objects(workplace: Path) -> None:
    own = autoevol.Method("mine", "Rewrite it, and ask for reasons.")
    options: dict[str, Any] = {"failure": {"rules": []}, "evolve": {"choice": "round_robin"}}
    evolved, _ = autoevol.evolve(SEEDS, model=MODEL, method=["weak", own], **options)
    assert {row["method"] for row in evolved} == {"weak", "mine"}


@pytest.mark.parametrize(
    ("options", "needle"),
    [
        ({"evolv": {}}, "autoevol.evolve: evolv: unknown key; did you mean 'evolve'?"),
        ({"method": "week"}, "did you mean weak?"),
        ({"rows": []}, "holds no rows"),
        ({"evolve": ["deepen"]}, "autoevol.evolve: evolve: must be a mapping of keys"),
    ],
)
def test_a_mistake_is_one_clear_line(options: Any, needle: str, workplace: Path) -> None:
    data, method = options.pop("rows", SEEDS), options.pop("method", "weak")
    with pytest.raises(ConfigError) as refused:
        autoevol.evolve(data, model=MODEL, method=method, **options)
    assert needle in str(refused.value)


@pytest.mark.parametrize(
    ("data", "needle"),
    [
        ([None], "rows[0]"),
        ([{"instruction": b"abc"}], "rows[0].instruction: holds bytes"),
        ({"train": SEEDS}, "a mapping of train"),
        ([5], "row"),
    ],
)
def test_what_is_no_row_is_one_clear_line(data: Any, needle: str, workplace: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        plain(data)
    assert needle in str(refused.value)


def test_arrays_and_numbers_are_plain_data(workplace: Path) -> None:
    row = {"instruction": SEEDS[0], "tags": numpy.array(["a", "b"]), "n": numpy.int64(5)}
    evolved, _ = plain([row])
    assert evolved[0]["meta"] == {"tags": ["a", "b"], "n": 5}


def test_paid_rows_beyond_a_target_come_back(workplace: Path) -> None:
    result = plain(SEEDS, evolve={"target": 3, "children": 2})
    assert len(result.rows) + len(result.account["surplus"]) == result.account["rounds"][0]["kept"]


def test_a_refused_call_leaves_the_input_of_the_folder(workplace: Path) -> None:
    plain(SEEDS[:2], folder="runs/x")
    files = {file: file.read_bytes() for file in Path("runs/x-input").iterdir()}
    with pytest.raises(ConfigError):
        plain(SEEDS[2:4], folder="runs/x")
    assert all(file.read_bytes() == content for file, content in files.items())


@pytest.mark.parametrize("folder", ["my run", "~/x", ".", "größer (2)"])
def test_a_folder_may_have_any_name(
    folder: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(workplace))
    Path("here").mkdir()
    monkeypatch.chdir("here")
    first = plain(SEEDS[:2], folder=folder, evolve=None)
    again = plain(SEEDS[:2], folder=folder, output={"formats": ["alpaca"]})
    assert again.rows == first.rows == rows_of(Path(folder).expanduser() / "evolved.jsonl")
    assert rows_of(Path(folder).expanduser() / "exports/alpaca.jsonl")


def test_it_works_where_an_event_loop_runs(workplace: Path) -> None:
    async def notebook() -> Any:
        blocking = plain(SEEDS)
        options: Any = {"method": "weak", "failure": {"rules": []}}
        return blocking, await autoevol.aevolve(SEEDS, model=MODEL, **options)

    blocking, awaited = asyncio.run(notebook())
    assert blocking.rows == awaited.rows


def test_a_program_is_compiled_where_an_event_loop_runs() -> None:
    async def notebook() -> autoevol.Evolver:
        student = autoevol.Evolver(START)
        return optimizer_of().compile(student, trainset=rows(4, "t"), valset=rows(5, "d"))

    assert isinstance(asyncio.run(notebook()), autoevol.Evolver)


def optimizer_of() -> autoevol.AutoEvolInstruct:
    return optimizer_for(failing_unless("MARK", ["Make it harder, MARK."]), steps=1)[0]


class _Replies(dspy.BaseLM):
    """Replies with a harder instruction, then with an answer."""

    def __init__(self) -> None:
        super().__init__("scripted")

    async def acall(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        is_answer = "harder" not in str(messages[0]["content"])
        return ["[[ ## response ## ]]\nRhine.\n[[ ## completed ## ]]"] if is_answer else [EVOLVED]

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kw: Any) -> list[str]:
        return asyncio.run(self.acall(messages=messages))


EVOLVED = (
    "[[ ## evolved_instruction ## ]]\nList the 3 largest rivers of Europe and compare their"
    " lengths.\n[[ ## completed ## ]]"
)


def test_a_program_can_be_awaited() -> None:
    evolver = autoevol.Evolver(autoevol.Method("m", "Make it harder."))
    with dspy.context(lm=_Replies()):
        awaited = asyncio.run(evolver.acall(instruction=SEEDS[2]))
        called = evolver(instruction=SEEDS[2])
    assert awaited.response == called.response == "Rhine."
    assert awaited.evolved_instruction == called.evolved_instruction


def test_f_is_a_metric_that_dspy_can_call() -> None:
    metric = autoevol.failure_metric(["strict"], ["strict"])
    example = dspy.Example(instruction="Name a river.").with_inputs("instruction")
    good = "Name a river that flows through three countries, and give its length."
    sound = dspy.Prediction(evolved_instruction=good, response="The Rhine, 1,230 km.")
    copied = dspy.Prediction(evolved_instruction="Name a river.", response="The Rhine.")
    silent = dspy.Prediction(evolved_instruction=good, response="")
    assert [metric(example, made) for made in (sound, copied, silent)] == [1.0, 0.0, 0.0]
    assert metric(example, sound, trace=[]) is True
    suspect = dspy.Prediction(evolved_instruction="Rivers.")
    assert metric(example, suspect, trace=[]) is False
    evolver = autoevol.Evolver(autoevol.Method("m", "Make it harder."))
    with dspy.context(lm=_Replies()):
        devset = [dspy.Example(instruction=SEEDS[2]).with_inputs("instruction")] * 2
        evaluate = dspy.Evaluate(devset=devset, metric=metric, num_threads=1)
        assert evaluate(evolver).score == 100.0


class _Watcher(dspy.utils.callback.BaseCallback):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_evaluate_start(self, call_id: str, instance: Any, inputs: Any) -> None:
        self.seen.append((call_id, len(inputs["devset"])))

    def on_evaluate_end(self, call_id: str, outputs: Any, exception: Any = None) -> None:
        self.seen.append((call_id, outputs["score"]))
        raise ValueError("a callback that fails stops nothing")


def test_callbacks_of_dspy_see_the_evaluations_of_a_search() -> None:
    watcher = _Watcher()
    with dspy.context(callbacks=[watcher]):
        optimizer_of().compile(autoevol.Evolver(START), trainset=rows(4, "t"), valset=rows(5, "d"))
    assert watcher.seen
    assert watcher.seen[0][0] == watcher.seen[1][0]
    assert watcher.seen[0][1] == 5
    assert 0 <= watcher.seen[1][1] <= 100


def test_the_public_names_are_documented() -> None:
    for name in set(autoevol.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(autoevol, name)), name
