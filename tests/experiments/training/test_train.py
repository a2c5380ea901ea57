"""`autoevol train` on a tiny student: the whole way, resumed, and what it refuses."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from autoevol.experiments.config.train import train_config
from autoevol.experiments.training.examples import read_examples
from autoevol.experiments.training.trainer import has_bf16
from tests.support.command_line import Result, rows_of, run_cli
from tests.support.tiny_models import NEEDS_TORCH, WORDS, save_llama, take_memory

pytestmark = [
    NEEDS_TORCH,
    pytest.mark.skipif(
        not all(map(find_spec, ("trl", "peft"))),
        reason="the extra `train` (trl, peft) is not installed: make scores",
    ),
]
TALK = {
    "id": "c",
    "turns": ["Hi.", "And?"],
    "answers": ["Hello.", "Fine."],
    "system": "Be kind.",
}
STEPS = {"train.batch": 4, "train.micro_batch": 2, "train.lr": 0.01, "train.max_length": 64}


@pytest.fixture
def student(workplace: Path) -> str:
    return str(save_llama(workplace / "student"))


@pytest.fixture
def rows(workplace: Path) -> str:
    lines = [
        {"id": f"r{n}", "instruction": f"name the {WORDS[n]}", "response": f"it is {WORDS[n]} ."}
        for n in range(12)
    ]
    lines.append({"id": "open", "instruction": "is it a lake", "response": " "})
    Path("rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return "rows.jsonl"


def _train(target: str, student: str, *extra: str, expected: int = 0, **keys: Any) -> Result:
    settings = {**STEPS, **{f"train.{key}": value for key, value in keys.items()}}
    options = [f"--set={key}={json.dumps(value)}" for key, value in settings.items()]
    return run_cli("train", target, "--model", student, *options, *extra, expected=expected)


def _result(seed: int = 0, folder: str = "runs/train-rows") -> dict[str, Any]:
    return dict(json.loads(Path(folder, f"seed-{seed}", "result.json").read_text("utf-8")))


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_student_learns_its_rows(student: str, rows: str, method: str) -> None:
    shown = _train(rows, student, method=method, epochs=6, seeds=[0, 3]).out
    assert "12 rows, 12 answers; 1 without an answer" in shown
    for seed in (0, 3):
        result = _result(seed)
        assert result["steps"] == len(result["losses"]) == 18
        assert sum(result["losses"][-3:]) < sum(result["losses"][:3])
        assert result["tokens"] > 0
        model = Path("runs/train-rows", f"seed-{seed}", "model")
        weights = "adapter_model.safetensors" if method == "lora" else "model.safetensors"
        assert (model / weights).is_file()
        assert not Path("runs/train-rows", f"seed-{seed}", "checkpoints").exists()
    assert _result(0)["losses"] != _result(3)["losses"]


def test_a_trained_student_can_be_trained_again(student: str, rows: str) -> None:
    _train(rows, student, method="full")
    _train(rows, "runs/train-rows/seed-0/model", "--out", "runs/second", method="full")
    assert _result(folder="runs/second")["losses"]


def test_an_adapter_is_trained_on_and_not_replaced(student: str, rows: str) -> None:
    from autoevol.experiments.training.student import open_student

    _train(rows, student, epochs=3)
    first = "runs/train-rows/seed-0/model"
    opened = open_student(train_config({"train": {"model": first}}, Path("t")), "t")
    whole = open_student(train_config({"train": {"model": student}}, Path("t")), "t")
    trained = [name for name, weight in opened.model.named_parameters() if weight.requires_grad]
    assert trained
    assert all("lora" in name for name in trained)
    tokens = opened.tokenizer("name the lake", return_tensors="pt")["input_ids"]
    assert not opened.model(tokens).logits.allclose(whole.model(tokens).logits)
    _train(rows, first, "--out", "runs/second")
    # It begins where the first training ended.
    assert _result(folder="runs/second")["losses"][0] < _result()["losses"][0]
    named = json.loads(Path("runs/second/seed-0/model/adapter_config.json").read_text("utf-8"))
    assert named["base_model_name_or_path"] == str(Path(student).resolve())
    refused = _train(rows, first, "--out", "runs/third", method="full", expected=2)
    assert "is a LoRA adapter" in refused.err


def test_an_adapter_is_found_from_any_folder(
    rows: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoevol.experiments.config.evaluate import EvaluateConfig
    from autoevol.experiments.evaluation.weights import open_weights
    from autoevol.experiments.pretrained.weights import weights_digest

    save_llama(workplace / "near")
    _train(rows, "near")
    model = Path("runs/train-rows/seed-0/model").resolve()
    # A folder as PEFT alone leaves it has no tokenizer.
    for file in model.glob("*token*"):
        file.unlink()
    before = weights_digest(str(model))
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    opened = open_weights(str(model), EvaluateConfig(), "t")
    assert opened.loaded.tokenizer.chat_template
    # A project that is moved as a whole stays what it is.
    moved = workplace.parent / f"{workplace.name}-moved"
    shutil.copytree(workplace, moved)
    shutil.rmtree(workplace / "near")
    inside = moved / model.relative_to(workplace.resolve())
    assert weights_digest(str(inside)) == before
    assert open_weights(str(inside), EvaluateConfig(), "t").loaded.tokenizer.chat_template


def test_shipped_weights_are_named_as_such(workplace: Path) -> None:
    from autoevol.experiments.pretrained.adapters import base_of, name_base

    Path("own").mkdir()
    Path("own/adapter_config.json").write_text('{"base_model_name_or_path": "/cache/x"}')
    Path("smollm2-135m-instruct").mkdir()
    name_base(Path("own"), "local/smollm2-135m-instruct")
    assert base_of(Path("own"), "t") == "local/smollm2-135m-instruct"


def test_a_model_of_another_kind_is_no_student(rows: str, workplace: Path) -> None:
    save_llama(workplace / "judge", classes=1)
    assert "is no causal language model" in _train(rows, "judge", expected=2).err
    assert not Path("runs").exists()


def test_answers_without_room_are_counted_and_not_learnt(student: str, workplace: Path) -> None:
    long = {"instruction": "name the lake " * 30, "response": "danube ."}
    cut = {"instruction": "name the lake", "response": "danube " * 90}
    short = {"instruction": "name the lake", "response": "danube ."}
    lines = [json.dumps({"id": str(n), **row}) for n, row in enumerate([long, cut, short])]
    Path("rows.jsonl").write_text("\n".join(lines))
    shown = _train("rows.jsonl", student).out
    assert "1 answers not learnt: no room in train.max_length" in shown
    assert "1 answers not learnt to their end" in shown
    assert (_result()["no_room"], _result()["cut"]) == (1, 1)
    Path("long.jsonl").write_text(lines[0])
    refused = _train("long.jsonl", student, expected=2).err
    assert "train.max_length: no prompt has fewer than 64 tokens" in refused
    assert not Path("runs/train-long").exists()


def test_an_example_is_no_longer_than_the_student_reads(student: str, rows: str) -> None:
    with Path(rows).open("a") as lines:
        lines.write(json.dumps({"id": "l", "instruction": "a", "response": "danube " * 90}) + "\n")
    _train(rows, student, max_length=100_000)
    assert _result()["cut"] == 1


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"warmup": 0.03}, (0, 1)),  # one step: its rate is not 0
        ({"warmup": 0.5, "epochs": 4, "checkpoints": 1}, (2, 2)),
        ({"warmup": 1.0, "epochs": 4}, (4, 1)),
    ],
)
def test_the_learning_rate_follows_the_steps(
    keys: dict[str, Any], expected: tuple[int, int]
) -> None:
    from autoevol.experiments.training.trainer import _steps

    assert tuple(_steps(train_config({"train": keys}, Path("t")), 8).values()) == expected


@pytest.mark.parametrize(("packing", "steps"), [(True, 1), (False, 4)])
def test_packed_examples_are_counted_as_they_are_trained(
    student: str, rows: str, packing: bool, steps: int
) -> None:
    from autoevol.experiments.training import trainer
    from autoevol.experiments.training.student import open_student

    keys = {"model": student, "max_length": 64, "batch": 3, "packing": packing, "warmup": 0.5}
    config = train_config({"train": {**keys, "schedule": "constant"}}, Path("t"))
    training = trainer.Training(config, 0, Path("out"), "t")
    examples = read_examples(Path(rows)).examples
    with trainer._quiet():
        built = trainer._trainer(open_student(config, "t"), examples, training, lambda: None)
        built.train()
    rates = [entry["learning_rate"] for entry in built.state.log_history if "loss" in entry]
    assert len(rates) == steps
    assert rates[-1] == pytest.approx(config.lr)


def test_a_step_has_as_many_examples_on_several_gpus() -> None:
    from autoevol.experiments.training.trainer import Training, _accumulation
    from autoevol.program.errors import ConfigError

    config = train_config({"train": {"batch": 8, "micro_batch": 2}}, Path("t"))
    training = Training(config, 0, Path("out"), "t")
    assert [_accumulation(training, devices) for devices in (1, 2, 4)] == [4, 2, 1]
    with pytest.raises(ConfigError, match=r"train\.batch: 8 examples in parts of 2"):
        _accumulation(training, 3)


def test_only_answers_count_in_the_loss(student: str, rows: str) -> None:
    from autoevol.experiments.training import trainer
    from autoevol.experiments.training.student import open_student

    config = train_config({"train": {"model": student, "max_length": 64}}, Path("t"))
    opened = open_student(config, "t")
    examples = read_examples(Path(rows)).examples
    training = trainer.Training(config, 0, Path("out"), "t")
    with trainer._quiet():
        built = trainer._trainer(opened, examples, training, lambda: None)
    for example, own in zip(examples, built.train_dataset, strict=True):
        counted = [
            token
            for token, label in zip(own["input_ids"], own["labels"], strict=True)
            if label != -100
        ]
        assert example.completion.strip(" .") in opened.tokenizer.decode(counted)
        assert "name the" not in opened.tokenizer.decode(counted)


def test_the_same_command_trains_nothing(
    student: str, rows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _train(rows, student)
    before = _result()
    monkeypatch.setattr(
        "autoevol.experiments.training.trainings.open_student", lambda *_: pytest.fail("opened")
    )
    _train(rows, student)
    assert _result() == before


def test_a_further_seed_is_trained_alone(student: str, rows: str) -> None:
    _train(rows, student)
    before = _result()
    _train(rows, student, seeds=[0, 1])
    assert _result() == before
    assert _result(1)["steps"] == before["steps"]


def test_a_conversation_is_learnt_turn_by_turn(workplace: Path) -> None:
    Path("talk.jsonl").write_text(json.dumps(TALK) + "\n")
    first, second = read_examples(Path("talk.jsonl")).examples
    assert [message["role"] for message in first.prompt] == ["system", "user"]
    assert (first.completion, second.completion) == ("Hello.", "Fine.")
    assert [message["content"] for message in second.prompt[1:]] == ["Hi.", "Hello.", "And?"]


def test_fewer_rows_are_a_part_of_more(student: str, rows: str) -> None:
    from autoevol.experiments.training.examples import first_rows

    examples = read_examples(Path(rows)).examples
    assert {e.row for e in first_rows(examples, 4)} < {e.row for e in first_rows(examples, 8)}
    _train(rows, student, rows=4)
    assert _result()["steps"] == 1
    _train(rows, student, "--out", "runs/few", tokens=40)
    assert _result(folder="runs/few")["tokens"] <= 80


def test_mlflow_has_the_curve_and_the_data(student: str, rows: str) -> None:
    _train(rows, student, epochs=2)
    _train(rows, student, epochs=2)
    client = mlflow.MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = [
        run
        for run in client.search_runs(experiments, "tags.run_kind = 'train'")
        if run.data.params["model"] == student
    ]
    (run,) = runs
    losses = [point.value for point in client.get_metric_history(run.info.run_id, "train/loss")]
    assert losses == _result()["losses"]
    assert run.data.params["data_fingerprint"] == read_examples(Path(rows)).fingerprint
    assert run.data.params["steps"] == "6"


def test_a_run_is_trained_on_below_its_own_run(student: str, write_config: Any) -> None:
    config = write_config(
        12, optimizer={"name": "none"}, train={"epochs": 1.0, "max_length": 64, "batch": 4}
    )
    run_cli("run", str(config), "--out", "runs/a", expected=0)
    run_cli("train", "runs/a", "--model", student, expected=0)
    summary = json.loads(Path("runs/a/summary.json").read_text("utf-8"))
    assert _result(folder="runs/a/train")["steps"] == -(-summary["rows_out"] // 4)
    client = mlflow.MlflowClient()
    parent = summary["mlflow_run_id"]
    query = f"tags.`mlflow.parentRunId` = '{parent}'"
    (run,) = client.search_runs([client.get_run(parent).info.experiment_id], query)
    assert run.data.tags["run_kind"] == "train"
    # The section is no part of the run.
    tree = yaml.safe_load(config.read_text("utf-8"))
    config.write_text(yaml.safe_dump({**tree, "train": {"epochs": 2.0}}))
    assert run_cli("run", str(config), "--out", "runs/a", expected=0).code == 0


def test_a_preset_holds_over_the_section_of_a_run(write_config: Any) -> None:
    from autoevol.experiments.training.plan import TrainRequest, make_plan

    train = {"epochs": 1.0, "lr": 0.01, "rank": 4}
    config = write_config(4, optimizer={"name": "none"}, train=train)
    run_cli("run", str(config), "--out", "runs/a", expected=0)
    own = make_plan(TrainRequest(Path("runs/a"))).config
    assert (own.lr, own.epochs, own.method, own.batch) == (0.01, 1.0, "lora", 8)
    overrides = ["train.preset=paper", "train.micro_batch=4"]
    preset = make_plan(TrainRequest(Path("runs/a"), overrides=overrides)).config
    assert (preset.lr, preset.epochs, preset.method, preset.batch) == (5e-6, 4.0, "full", 128)
    assert (preset.rank, preset.micro_batch) == (4, 4)
    unset = make_plan(TrainRequest(Path("runs/a"), overrides=["train.preset=null"])).config
    assert (unset.lr, unset.rank) == (0.01, 4)


def test_a_run_is_trained_on_as_its_config_exports_it(write_config: Any) -> None:
    output = {"rounds": "last", "with_seeds": True}
    config = write_config(8, optimizer={"name": "none"}, evolve={"rounds": 2}, output=output)
    file = Path(yaml.safe_load(config.read_text("utf-8"))["data"]["path"])
    seeds = [{**seed, "response": "two"} for seed in rows_of(file)]
    file.write_text("".join(json.dumps(seed) + "\n" for seed in seeds))
    run_cli("run", str(config), "--out", "runs/a", expected=0)
    rows = rows_of(Path("runs/a/evolved.jsonl"))
    assert {row["round"] for row in rows} == {1, 2}
    last = {row["id"] for row in rows if row["round"] == 2}
    trained = read_examples(Path("runs/a"))
    assert {example.row for example in trained.examples} == {*last, *(seed["id"] for seed in seeds)}
    assert trained.left_out == {"of other rounds": len(rows) - len(last)}
    exported = rows_of(Path("runs/a/exports/messages.jsonl"))
    assert len(exported) == len(trained.examples)


def test_the_documentation_has_the_numbers_of_the_presets() -> None:
    from autoevol.experiments.config.train import PRESETS

    page = Path(__file__).parents[3].joinpath("docs/train.md").read_text("utf-8")
    for name, keys in PRESETS.items():
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        method, rate, epochs, batch, length = [cell.strip() for cell in line.split("|")[2:7]]
        shown = (method, float(rate), float(epochs), int(batch), int(length.replace(",", "")))
        wanted = ("method", "lr", "epochs", "batch", "max_length")
        assert shown == tuple(keys[key] for key in wanted)
        preset = train_config({"train": {"preset": name}}, Path("t"))
        assert {key: getattr(preset, key) for key in keys} == keys


PROGRAM = """
import sys, time
from autoevol.experiments.cli import app
from autoevol.experiments.terminal.progress import ProgressBar
advance = ProgressBar.advance
def slow(self, *, failed):
    advance(self, failed=failed)
    time.sleep(0.2)
ProgressBar.advance = slow
sys.argv[1:] = sys.argv[1:]
app.main()
"""


def test_a_killed_training_resumes_from_its_checkpoint(student: str, rows: str) -> None:
    arguments = ["train", rows, "--model", student, "--set", "train.epochs=8", "--set"]
    arguments += ["train.batch=4", "--set", "train.checkpoints=8", "--set", "train.max_length=64"]
    root = str(Path(__file__).parents[3])
    paths = os.pathsep.join([root, str(Path(root) / "src")])
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    checkpoints = Path("runs/train-rows/seed-0/checkpoints")
    deadline = time.monotonic() + 240
    while len(list(checkpoints.glob("checkpoint-*/trainer_state.json"))) == 0:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (state,) = checkpoints.glob("checkpoint-*/trainer_state.json")
    begun = json.loads(state.read_text())["global_step"]
    assert 0 < begun < 24
    # As a kill in the middle of the next one leaves it.
    Path(checkpoints, "checkpoint-23").mkdir()
    run_cli(*arguments, expected=0)
    result = _result()
    assert result["steps"] == len(result["losses"]) == 24


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"rows": 99}, "train.rows: is 99, and there are 12"),
        ({"batch": 4, "micro_batch": 3}, "does not divide batch"),
        ({"lr": 0}, "train.lr"),
        ({"seeds": [1, 1]}, "seeds names one twice"),
        ({"speed": 3}, "train.speed"),
        ({"preset": "unheard"}, "train.preset"),
        ({"preset": [1]}, "train.preset"),
        ({"tokens": 1}, "train.tokens: is 1"),
        ({"chat_template": "missing.jinja"}, "train.chat_template"),
    ],
)
def test_a_wrong_setting_is_one_line(
    student: str, rows: str, keys: dict[str, Any], words: str
) -> None:
    result = _train(rows, student, expected=2, **keys)
    *progress, line = result.err.strip().splitlines()
    assert words in line
    assert all("load the student" in shown for shown in progress)
    assert not Path("runs").exists()


def test_wrong_models_are_one_line(student: str, rows: str) -> None:
    file = Path(student, "tokenizer_config.json")
    own = {k: v for k, v in json.loads(file.read_text()).items() if k != "chat_template"}
    file.write_text(json.dumps(own))
    Path(student, "chat_template.jinja").unlink(missing_ok=True)
    result = _train(rows, student, expected=2)
    assert "has no chat template; give one in a file" in result.err
    template = "{% for m in messages %}{{ m.role }} \n {{ m.content }} </s> {% endfor %}"
    Path("own.jinja").write_text(template)
    _train(rows, student, chat_template="own.jinja")
    weights = Path(student, "model.safetensors")
    import torch

    torch.save({}, Path(student, "pytorch_model.bin"))
    weights.unlink()
    result = _train(rows, student, "--out", "runs/other", expected=2, chat_template="own.jinja")
    assert "train.model" in result.err
    assert not Path("runs/other").exists()


def test_other_settings_in_the_same_folder_are_refused(student: str, rows: str) -> None:
    _train(rows, student)
    result = _train(rows, student, expected=2, lr=0.5)
    assert "holds trainings with another train.lr" in result.err
    Path(rows).write_text(Path(rows).read_text().replace("danube", "volga"))
    assert "with another data" in _train(rows, student, expected=2).err


def test_mlflow_finds_a_training_of_an_older_folder(student: str, rows: str) -> None:
    from autoevol.experiments.training.tracking import training_key

    _train(rows, student)
    folder = Path("runs/train-rows")
    before = training_key(folder, 0)
    held = json.loads((folder / "training.json").read_text())
    (folder / "training.json").write_text(json.dumps({key: held[key] for key in ("train", "data")}))
    assert training_key(folder, 0) == before
    _train(rows, student, seeds=[0, 1])
    assert training_key(folder, 0) == before


def test_another_student_under_the_same_name_is_refused(student: str, rows: str) -> None:
    template = "{% for m in messages %}{{ m.role }} \n {{ m.content }} </s> {% endfor %}"
    Path("own.jinja").write_text(template)
    _train(rows, student, chat_template="own.jinja")
    Path("own.jinja").write_text(template.replace("</s>", "."))
    refused = _train(rows, student, chat_template="own.jinja", expected=2).err
    assert "with another chat_template" in refused
    Path("own.jinja").write_text(template)
    save_llama(Path(student), positions=128)
    refused = _train(rows, student, chat_template="own.jinja", expected=2).err
    assert "with another student" in refused


def test_a_checkpoint_of_an_unknown_training_is_refused(student: str, rows: str) -> None:
    Path("runs/train-rows/seed-0/checkpoints").mkdir(parents=True)
    assert (
        "is of a training that no training.json tells of" in _train(rows, student, expected=2).err
    )


def test_a_template_that_refuses_a_row_is_one_line(student: str, workplace: Path) -> None:
    Path("talk.jsonl").write_text(json.dumps(TALK) + "\n")
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    Path("strict.jinja").write_text(template + "{{ messages[-1].content }}")
    keys = {"chat_template": "strict.jinja", "tokens": 30}
    refused = _train("talk.jsonl", student, expected=2, **keys)
    assert "its chat template refuses row c: no system" in refused.err


def test_too_little_memory_says_what_to_try(
    student: str, rows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trl import SFTTrainer

    with monkeypatch.context() as patch:
        # The kernel would kill a process that takes more than there is; nobody could say a word.
        patch.setattr("autoevol.experiments.pretrained.free_memory.free_memory", lambda: 128 << 20)
        patch.setattr(SFTTrainer, "train", lambda *_, **__: take_memory(512 << 20))
        result = _train(rows, student, expected=2)
    assert "train.micro_batch: 2 takes too much memory; try train.micro_batch=1" in result.err
    take_memory(512 << 20)  # the limit is gone again
    _train(rows, student, micro_batch=1)  # what it says works in the same folder
    assert _result()["steps"] == 3


def test_a_file_without_answers_is_refused(student: str, workplace: Path) -> None:
    Path("open.jsonl").write_text(json.dumps({"instruction": "Why?"}) + "\n")
    assert "no row with an answer" in _train("open.jsonl", student, expected=2).err


def _recipe(trainer: str, rows: str, **keys: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    settings = [f"--set=train.{key}={json.dumps(value)}" for key, value in keys.items()]
    arguments = ["train", rows, "--model", "Qwen/Qwen2.5-0.5B", "--out", "recipe", *settings]
    shown = run_cli(*arguments, "--only-config", trainer, expected=0).out
    assert "cd recipe && " in shown
    tree = yaml.safe_load(Path("recipe", f"{trainer}.yaml").read_text("utf-8"))
    lines = Path("recipe", "data.jsonl").read_text("utf-8").splitlines()
    return tree, [json.loads(line) for line in lines]


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of TRL's use of transformers
@pytest.mark.parametrize("method", ["lora", "full"])
def test_trl_takes_the_files_as_its_own(rows: str, method: str, monkeypatch: Any) -> None:
    from datasets import load_dataset
    from trl.scripts.sft import make_parser

    own = {"method": method, "batch": 8, "micro_batch": 2, "lr": 3e-5, "epochs": 2, "seeds": [5]}
    _, data = _recipe("trl", rows, **own)
    assert len(data) == 12
    monkeypatch.chdir("recipe")
    parser = make_parser()
    _, training, model, mixture = parser.parse_args_and_config(
        ["--config", "trl.yaml", "--bf16", "false", "--use_cpu"]
    )
    assert (training.learning_rate, training.num_train_epochs, training.seed) == (3e-5, 2, 5)
    assert training.gradient_accumulation_steps == 4
    assert training.completion_only_loss is True
    assert (model.use_peft, model.model_name_or_path) == (method == "lora", "Qwen/Qwen2.5-0.5B")
    (source,) = mixture.datasets
    loaded = load_dataset(source.path, data_files=source.data_files, split="train")
    assert set(loaded.column_names) == {"prompt", "completion"}


def test_other_trainers_get_conversations(workplace: Path) -> None:
    Path("talk.jsonl").write_text(json.dumps(TALK) + "\n")
    tree, (conversation,) = _recipe("llama_factory", "talk.jsonl")
    roles = [message["role"] for message in conversation["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    info = json.loads(Path("recipe/dataset_info.json").read_text("utf-8"))
    assert info[tree["dataset"]]["file_name"] == "data.jsonl"
    assert (tree["template"], tree["finetuning_type"], tree["lora_rank"]) == ("qwen", "lora", 16)
    tree, _ = _recipe("axolotl", "talk.jsonl", method="full")
    assert "adapter" not in tree
    assert tree["datasets"][0]["field_messages"] == "messages"
    tree, _ = _recipe("torchtune", "talk.jsonl")
    assert tree["dataset"]["conversation_column"] == "messages"


@pytest.mark.parametrize("trainer", ["llama_factory", "axolotl", "trl"])
def test_a_recipe_finds_a_student_in_a_folder_from_its_own(
    rows: str, workplace: Path, trainer: str
) -> None:
    # What the folders above a student are called says nothing of it.
    Path("qwen-work/tiny").mkdir(parents=True)
    arguments = ["train", rows, "--model", "qwen-work/tiny", "--out", "made/recipe"]
    run_cli(*arguments, "--only-config", trainer, expected=0)
    tree = yaml.safe_load(Path("made/recipe", f"{trainer}.yaml").read_text("utf-8"))
    model = tree.get("model_name_or_path") or tree["base_model"]
    assert Path("made/recipe", model).resolve() == Path("qwen-work/tiny").resolve()
    assert "template" not in tree, "LLaMA-Factory takes the tokenizer's own"


def test_a_recipe_loses_no_setting(student: str, rows: str) -> None:
    Path("own.jinja").write_text("{{ messages[-1].content }}")
    tree, _ = _recipe("trl", rows, chat_template="own.jinja")
    assert Path("recipe", tree["chat_template_path"]).read_text() == "{{ messages[-1].content }}"
    tree, _ = _recipe("axolotl", rows, chat_template="own.jinja")
    assert Path("recipe", tree["datasets"][0]["chat_template_jinja"]).is_file()
    tree, _ = _recipe("torchtune", rows, rank=4)
    assert tree["model"] == {"lora_rank": 4, "lora_alpha": 32}
    base = ["train", rows]
    Path("adapter").mkdir()
    Path("adapter/adapter_config.json").write_text('{"base_model_name_or_path": "x"}')
    for trainer, setting, words in (
        ("axolotl", "train.model=adapter", "train.model: adapter is a LoRA adapter"),
        ("llama_factory", "train.chat_template=own.jinja", "llama_factory takes none from a file"),
        ("trl", "train.tokens=40", "train.tokens: no other trainer counts them"),
    ):
        whole = ["--set", f"train.model={student}"]
        arguments = [*base, *whole, "--set", setting, "--out", "no", "--only-config", trainer]
        assert words in " ".join(run_cli(*arguments, expected=2).err.split())
    assert not Path("no").exists()
    base += ["--model", student, "--set", "train.seeds=[3, 4]", "--out", "two words"]
    arguments = [*base, "--only-config", "trl"]
    shown = run_cli(*arguments, expected=0).out
    assert "the files have seed 3; write others for 4" in shown
    assert "cd 'two words' && trl sft" in shown


@pytest.mark.skipif(
    find_spec("llamafactory") is None,
    reason="LLaMA-Factory is not installed; it needs older transformers and TRL than ours",
)
def test_llama_factory_loads_the_files_with_its_own_loader(rows: str, monkeypatch: Any) -> None:
    from llamafactory.data.parser import get_dataset_list

    tree, data = _recipe("llama_factory", rows)
    monkeypatch.chdir("recipe")
    (attributes,) = get_dataset_list([tree["dataset"]], tree["dataset_dir"])
    assert (attributes.load_from, attributes.formatting) == ("file", "sharegpt")
    assert len(data) == 12


def test_a_student_that_is_known_here_alone_makes_no_recipe(rows: str) -> None:
    arguments = ["train", rows, "--out", "recipe", "--only-config", "trl"]
    assert "known here alone" in run_cli(*arguments, expected=2).err
    assert not Path("recipe").exists()


def test_trainings_of_two_precisions_are_not_mixed(
    student: str, rows: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _train(rows, student, seeds=[0])
    other = not has_bf16()
    monkeypatch.setattr("autoevol.experiments.training.trainings.has_bf16", lambda: other)

    refused = _train(rows, student, seeds=[0, 1], expected=2)

    assert "some trainings compute in bfloat16 and some in single" in refused.err
    assert not Path("runs/train-rows/seed-1").exists()


@pytest.mark.parametrize(
    ("instructions", "expected"), [("amx_tile", True), ("avx512_bf16", True), ("avx512", False)]
)
def test_a_processor_with_instructions_for_bfloat16_computes_in_it(
    instructions: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("amx_tile", "avx512_bf16", "avx512"):
        monkeypatch.setattr(
            torch.cpu, f"_is_{name}_supported", lambda name=name: name == instructions
        )

    assert has_bf16() is expected
