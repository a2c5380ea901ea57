"""What comes from elsewhere: models with code, broken adapters, torn files, odd names."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.evaluation.results import figures_of, paired, read_results, write_results
from autoevol.experiments.evaluation.tasks.grading import _number
from autoevol.experiments.evaluation.tasks.items import Item, ItemResult, Task
from tests.support.command_line import Result, rows_of, run_cli
from tests.support.evaluating import HARNESS_TASK, NEEDS_HARNESS, NEEDS_PEFT
from tests.support.tiny_models import NEEDS_TORCH, save_llama

LOSS = "loss:rows.jsonl"


@pytest.fixture
def student(workplace: Path) -> Path:
    rows = [{"id": f"r{n}", "instruction": "is it", "response": "a lake"} for n in range(7)]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return save_llama(workplace / "student")


def _evaluate(model: Path | str, *extra: str, tasks: str = LOSS, expected: int = 0) -> Result:
    return run_cli("evaluate", str(model), "--tasks", tasks, *extra, expected=expected)


def _value(folder: str, task: str = LOSS) -> Any:
    tree = json.loads(Path(folder, "evaluation.json").read_text("utf-8"))
    return tree["tasks"][task]["value"]


@NEEDS_TORCH
def test_code_that_comes_with_a_model_is_never_run_and_nobody_is_asked(
    student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    code = "from pathlib import Path\nPath('PWNED').write_text('x')\nclass Evil:\n    pass\n"
    (student / "tok.py").write_text(code)
    for name, key in (
        ("tokenizer_config.json", {"AutoTokenizer": ["tok.Evil", None]}),
        ("config.json", {"AutoConfig": "tok.Evil", "AutoModelForCausalLM": "tok.Evil"}),
    ):
        file = student / name
        whole = file.read_text("utf-8")
        changes = {"auto_map": key, "tokenizer_class": "Evil", "model_type": "evil"}
        file.write_text(json.dumps({**json.loads(whole), **changes}))
        result = _evaluate(student, "--out", "o", expected=2)
        assert "cannot be loaded" in result.err
        result = run_cli("train", "rows.jsonl", "--model", str(student), expected=2)
        assert "cannot be loaded" in result.err
        file.write_text(whole)
    assert not list(Path().rglob("PWNED"))
    assert not Path("o").exists()


@pytest.fixture
def adapter(student: Path) -> Path:
    steps = ["--set=train.max_length=32", "--set=train.lr=0.05", "--set=train.epochs=3"]
    run_cli("train", "rows.jsonl", "--model", str(student), *steps, expected=0)
    return Path("runs/train-rows/seed-0/model")


@NEEDS_PEFT
def test_a_broken_adapter_is_one_line(adapter: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = adapter / "adapter_model.safetensors"
    weights = load_file(file)
    save_file({f"foo.{name}": value for name, value in weights.items()}, file)
    result = _evaluate(adapter, "--out", "o", expected=2)
    assert "does not fit its model" in result.err
    import torch

    torch.save(weights, adapter / "adapter_model.bin")
    file.unlink()
    result = _evaluate(adapter, "--out", "o", expected=2)
    assert "has no adapter_model.safetensors; pickles are not read" in result.err
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = None
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    assert "names no model" in _evaluate(adapter, "--out", "o", expected=2).err
    assert not Path("o").exists()


@NEEDS_PEFT
def test_an_adapter_knows_its_model_from_another_folder(
    adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path.cwd()
    _evaluate(adapter, "--out", "here")
    Path("elsewhere").mkdir()
    shutil.copy("rows.jsonl", "elsewhere")
    monkeypatch.chdir("elsewhere")
    _evaluate(home / adapter, "--out", "there")
    assert _value("there") == _value(str(home / "here"))


@NEEDS_PEFT
def test_a_changed_model_is_another_one(adapter: Path, student: Path) -> None:
    _evaluate(student, "--out", "a")
    _evaluate(adapter, "--out", "b")
    (student / "chat_template.jinja").write_text(
        "{% for m in messages %}{{ m.content }} </s> {% endfor %}"
    )
    assert "another weights" in _evaluate(student, "--out", "a", expected=2).err
    assert "another weights" in _evaluate(adapter, "--out", "b", expected=2).err


@NEEDS_TORCH
@pytest.mark.parametrize("template", ["{{ 1 / 0 }}", "{% if %}", " {# nothing #}"])
def test_a_template_that_fails_is_one_line(student: Path, template: str) -> None:
    Path("own.jinja").write_text(template)
    own = ["--set", "evaluate.chat_template=own.jinja"]
    result = _evaluate(student, "--out", "o", *own, expected=2)
    assert "chat template" in result.err
    assert "Traceback" not in result.err
    assert not Path("o").exists()


@NEEDS_TORCH
def test_a_row_that_the_template_refuses_has_no_score(student: Path) -> None:
    (student / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
        "{% endif %}{{ m.content }} </s> {% endfor %}"
    )
    rows = rows_of(Path("rows.jsonl"))
    rows[3]["system"] = "be it"
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _evaluate(student, "--out", "a", tasks=f"{LOSS},open:rows.jsonl")
    tree = json.loads(Path("a/evaluation.json").read_text("utf-8"))["tasks"]
    assert tree[LOSS]["scored"] == 6
    assert any("no system" in reason for reason in tree["open:rows.jsonl"]["unscored"])


@NEEDS_TORCH
def test_a_model_of_no_numbers_has_no_score(student: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = student / "model.safetensors"
    weights = load_file(file)
    save_file({k: v * float("nan") for k, v in weights.items()}, file, metadata={"format": "pt"})
    _evaluate(student, "--out", "a")
    assert _value("a") is None


@NEEDS_HARNESS
@pytest.mark.filterwarnings("ignore")  # of the harness and of what it imports
def test_results_of_the_harness_belong_to_a_model_and_to_its_questions(student: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"question": "name a", "choices": ["lake", "danube"], "right": n} for n in (0, 1, 1)
    ]
    Path("own").mkdir()
    file = Path("lakes.jsonl")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    Path("own/lakes.yaml").write_text(HARNESS_TASK % file.resolve())
    own = ["--set", "evaluate.harness_tasks=own", "--out", "h"]
    _evaluate(student, *own, tasks="lm_eval:lakes")
    first = _value("h", "lm_eval:lakes")
    other = save_llama(Path("other").resolve(), positions=32)
    result = _evaluate(other, *own, tasks="lm_eval:lakes", expected=2)
    assert "another weights" in result.err
    file.write_text("".join(json.dumps({**x, "right": 1 - x["right"]}) + "\n" for x in lines))
    _evaluate(student, *own, tasks="lm_eval:lakes")
    assert _value("h", "lm_eval:lakes") == pytest.approx(1 - first)
    nowhere = ["--set", "evaluate.harness_tasks=nowhere", "--out", "n"]
    assert "no such folder" in _evaluate(student, *nowhere, tasks="lm_eval:x", expected=2).err


@NEEDS_TORCH
def test_names_with_brackets_are_shown_as_they_are(student: Path) -> None:
    folder = Path("a[", "b]")
    folder.mkdir(parents=True)
    file = folder / "강 [bold] (y).jsonl"
    shutil.copy("rows.jsonl", file)
    result = _evaluate(student, "--out", "o", tasks=f"loss:{file}")
    assert "[bold]" in result.out
    long = Path("강" * 79 + ".jsonl")
    shutil.copy("rows.jsonl", long)
    _evaluate(student, "--out", "o", tasks=f"loss:{long}")


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed: make scores")
def test_wrong_folders_are_one_line(student: Path) -> None:
    _evaluate(student, "--out", "a")
    for extra, words in (
        (["--out", "rows.jsonl/x"], "cannot be a folder"),
        (["--out", "a", "--baseline", "a"], "is this evaluation's own folder"),
        (["--out", "b", "--baseline", "a", "--judge", "scripted/world"], "open questions"),
    ):
        result = _evaluate(student, *extra, expected=2)
        assert words in result.err
        assert "Traceback" not in result.err
    assert "at least 1 item" in run_cli("evaluate", str(student), "--tasks", ",", expected=2).err
    _evaluate(student, "--out", "c", "--baseline", "a", "--limit", "3")
    text = Path("c/evaluation.json").read_text("utf-8")
    assert "Infinity" not in text
    other = {"id": "x", "instruction": "is it", "response": "two lakes"}
    Path("rows.jsonl").write_text(json.dumps(other))
    shown = _evaluate(student, "--out", "c", "--baseline", "a").out
    assert "a has no results of these questions" in shown


def test_a_line_that_a_kill_cut_in_a_character_is_none(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    write_results(file, [ItemResult("a", 1.0, "강"), ItemResult("b", 0.0, "강과 산")])
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.rindex("산".encode()) + 1])
    assert [*read_results(file)] == ["a"]
    write_results(file, [ItemResult("b", 1.0, "산")])
    assert {name: result.score for name, result in read_results(file).items()} == {
        "a": 1.0,
        "b": 1.0,
    }
    file.write_text('{"id": "c"}\n[]\n{"id": "d", "score": 1, "more": 2}\n')
    assert read_results(file) == {}


def test_scores_between_0_and_1_are_no_shares() -> None:
    task = Task("t", "answer", ())
    results = {f"r{n}": ItemResult(f"r{n}", score) for n, score in enumerate([0.68, 0.0, 0.1] * 3)}
    figures = figures_of(task, [*results.values()], "")
    assert figures.value == pytest.approx(0.26)
    theirs = {name: ItemResult(name, 0.0) for name in results}
    pair = paired(task, results, theirs)
    assert pair is not None
    assert (pair.won, pair.lost, pair.p) == (None, None, None)
    assert pair.difference == pytest.approx(0.26)


def test_a_number_that_python_does_not_read_is_wrong() -> None:
    item = Item("a", ({"role": "user", "content": "x"},), {"result": "18"})
    assert _number(item, "Answer: " + "9" * 5000).score == 0.0
    assert _number(item, "Answer: 18").score == 1.0
