"""`autoevol study` on a tiny student: figures computed by hand, resumed, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import yaml

from tests.support.command_line import Result, rows_of, run_cli
from tests.support.evaluating import HARNESS_TASK, NEEDS_HARNESS, NEEDS_PEFT
from tests.support.tiny_models import NEEDS_TORCH, save_llama

pytestmark = [
    NEEDS_TORCH,
    NEEDS_PEFT,
]
SOLUTION = """def lakes(text):
    kinds = {'lake', 'lakes', 'pond'}
    words = [word.strip('.,') for word in text.lower().split()]
    return sum(word in kinds for word in words)
"""
ANSWERS = {"good": "danube volga danube volga .", "bad": "is it a lake a lake"}


def _write(name: str, rows: list[dict[str, Any]]) -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def study(workplace: Path) -> dict[str, Any]:
    student = save_llama(workplace / "student")
    for arm, answer in ANSWERS.items():
        count = 8 if arm == "bad" else 12
        _write(
            f"{arm}.jsonl",
            [
                {"id": f"{arm}-{n}", "instruction": "name two", "response": answer}
                for n in range(count)
            ],
        )
    exam = [
        {"id": f"q{n}", "instruction": "compare europe", "response": ANSWERS["good"]}
        for n in range(8)
    ]
    _write("exam.jsonl", [{**row, "instruction": f"compare {row['id']}"} for row in exam])
    return {
        "name": "toy",
        "arms": {"bad": {"file": "bad.jsonl"}, "good": {"file": "good.jsonl"}},
        "train": {
            "model": str(student),
            "seeds": [0, 1],
            "epochs": 4,
            "batch": 4,
            "lr": 0.05,
            "max_length": 64,
        },
        "evaluate": {"tasks": ["loss:exam.jsonl"]},
        "leak_words": 13,
    }


def _study(tree: dict[str, Any], *extra: str, expected: int = 0) -> Result:
    Path("study.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    return run_cli("study", "study.yaml", *extra, expected=expected)


def _tree() -> dict[str, Any]:
    return dict(json.loads(Path("runs/toy/study.json").read_text("utf-8")))


def test_the_arm_that_teaches_the_exam_is_better(study: dict[str, Any]) -> None:
    seeds = range(4)
    train = {**study["train"], "seeds": [*seeds]}
    shown = _study({**study, "equalise": ["rows"], "train": train}).out
    tree = _tree()
    assert [(cell["arm"], cell["rows"]) for cell in tree["cells"]] == [("bad", 8), ("good", 8)]
    bad, good = tree["figures"]
    assert bad["difference"] is None
    # By hand, from the files of single questions: (seeds, questions), lower is better.
    scores = {}
    for cell in tree["cells"]:
        folders = [Path("runs/toy", cell["folder"], f"seed-{seed}/evaluation") for seed in seeds]
        files = [next(folder.glob("loss-exam-????????.jsonl")) for folder in folders]
        by_seed = [{row["id"]: row["score"] for row in rows_of(file)} for file in files]
        scores[cell["arm"]] = np.array([[own[f"q{n}"] for n in range(8)] for own in by_seed])
    assert good["value"]["value"] == pytest.approx(scores["good"].mean())
    assert good["value"]["seeds"] == pytest.approx([*scores["good"].mean(axis=1)])
    difference = scores["good"] - scores["bad"]
    assert good["difference"]["value"] == pytest.approx(difference.mean())
    assert good["difference"]["high"] < 0
    assert "good is better than bad" in Path("runs/toy/study.html").read_text("utf-8")
    assert tree["verdict"].startswith("By loss:exam.jsonl and 4 training seeds: with equal rows ")
    assert tree["verdict"].split()[:4] == shown.splitlines()[-2].split()[:4]
    assert tree["before"]["loss:exam.jsonl"]["value"] > good["value"]["value"]


def test_rows_and_tokens_are_made_equal_and_equal_parts_are_trained_once(
    study: dict[str, Any],
) -> None:
    _study(study)
    cells = {(cell["arm"], cell["condition"]): cell for cell in _tree()["cells"]}
    assert cells["bad", "rows"]["rows"] == cells["good", "rows"]["rows"] == 8
    # The smaller arm is whole under both conditions: it is trained on once.
    assert cells["bad", "rows"]["folder"] == cells["bad", "tokens"]["folder"]
    assert cells["good", "tokens"]["tokens"] <= cells["bad", "tokens"]["tokens"]
    longest = cells["bad", "tokens"]["tokens"] / 8
    assert cells["bad", "tokens"]["tokens"] - cells["good", "tokens"]["tokens"] < 2 * longest


def test_finished_parts_are_not_trained_again(
    study: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoevol.experiments.training import trainer, trainings

    tree = {**study, "equalise": ["rows"]}
    trained: list[str] = []
    train = trainer.train

    def counted(student: Any, examples: Any, training: Any, on_step: Any) -> Any:
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append(str(training.folder))
        return train(student, examples, training, on_step)

    monkeypatch.setattr(trainings, "train", counted)
    _study(tree, expected=3)
    assert len(_tree()["cells"]) == 1  # what is finished can be looked at
    monkeypatch.setattr(trainings, "train", train)
    begun = {file: file.stat().st_mtime_ns for file in Path("runs/toy").rglob("result.json")}
    _study(tree)
    assert len(begun) == 3
    assert all(file.stat().st_mtime_ns == time for file, time in begun.items())
    before = _tree()
    monkeypatch.setattr(trainings, "train", counted)  # it would stop
    _study(tree)
    assert _tree() == before


def test_a_curve_has_a_training_for_each_size(study: dict[str, Any]) -> None:
    _study(
        {**study, "equalise": ["rows"], "curve": [4, 8], "train": {**study["train"], "seeds": [0]}}
    )
    cells = {(cell["arm"], cell["condition"]): cell for cell in _tree()["cells"]}
    assert cells["good", "curve-4"]["rows"] == 4
    assert cells["good", "curve-8"]["folder"] == cells["good", "rows"]["folder"]
    assert Path("runs/toy/curve.png").is_file()
    assert Path("runs/toy/arms.png").is_file()


def test_mlflow_has_the_study_above_arms_above_trainings(study: dict[str, Any]) -> None:
    train = {**study["train"], "seeds": [0, 1, 2, 3]}
    _study({**study, "name": "tracked", "equalise": ["rows"], "train": train})
    client = mlflow.MlflowClient()
    experiments = [e.experiment_id for e in client.search_experiments()]

    def below(parent: str) -> dict[str, list[Any]]:
        runs = client.search_runs(experiments, f"tags.`mlflow.parentRunId` = '{parent}'")
        kinds: dict[str, list[Any]] = {}
        for run in runs:
            kinds.setdefault(run.data.tags["run_kind"], []).append(run)
        return kinds

    roots = client.search_runs(experiments, "tags.run_kind = 'study'")
    (root,) = [run for run in roots if str(run.info.run_name).startswith("study tracked · ")]
    children = below(root.info.run_id)
    assert {run.data.params["arm"] for run in children["study_arm"]} == {"bad", "good"}
    assert len(children["evaluate"]) == 1  # the student before any training
    good = next(run for run in children["study_arm"] if run.data.params["arm"] == "good")
    assert good.data.metrics["difference/loss.exam.jsonl.rows_high"] < 0
    trainings = below(good.info.run_id)["train"]
    assert len(trainings) == 4
    (evaluation,) = below(trainings[0].info.run_id)["evaluate"]
    fingerprint = good.data.params["data_fingerprint.rows"]
    assert evaluation.data.params["data_fingerprint"] == fingerprint
    assert trainings[0].data.params["data_fingerprint"] == fingerprint
    # A study of other seeds is another run, which its arms follow.
    fewer = {**train, "seeds": [0, 1]}
    _study({**study, "name": "tracked", "equalise": ["rows"], "train": fewer})
    again = client.search_runs(experiments, "tags.run_kind = 'study'")
    (other,) = [run for run in again if run.info.run_id not in {root.info.run_id for root in roots}]
    assert len(below(other.info.run_id)["study_arm"]) == 2
    assert "study_arm" not in below(root.info.run_id)


def test_a_study_makes_the_runs_of_its_arms(study: dict[str, Any], write_config: Any) -> None:
    config = write_config(12, optimizer={"name": "none"}, scores={"names": ["length"]})
    arms = {
        "seeds": {"file": "bad.jsonl"},
        "evolved": {"config": str(config), "set": ["seed=3"]},
        "kept": {"file": "good.jsonl"},
    }
    tree = {**study, "arms": arms, "equalise": ["rows"], "train": {**study["train"], "seeds": [0]}}
    planned = _study(tree, "--dry-run").out
    assert "a run of this study" in planned
    assert "12 rows" in planned, "what the run will cost is shown"
    assert not Path("runs").exists()
    _study(tree)
    assert Path("runs/toy/arms/evolved/run/evolved.jsonl").is_file()
    proxies = {proxy["name"]: proxy for proxy in _tree()["proxies"]}
    assert proxies["failure_rate"]["values"].keys() == {"evolved"}
    assert proxies["failure_rate"]["correlation"] is None
    words = proxies["instruction_words"]
    assert words["values"]["seeds"] == words["values"]["kept"] == 2 < words["values"]["evolved"]
    assert (words["low"], words["high"]) == (None, None), "three arms have no interval"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"equalise": ["all"]}, "the arms have different numbers of rows (bad 8, good 12)"),
        ({"curve": [9]}, "asks for 9 rows; an arm has 8"),
        ({"arms": {"a": {"file": "missing.jsonl"}}}, "arms.a.file: no such file: missing.jsonl"),
        ({"arms": {"a": {"run": "nowhere"}}}, "arms.a.run: nowhere is no finished run's folder"),
        ({"arms": {"a": {}}}, "needs one of file, run, config"),
        ({"arms": {"a/b": {"file": "bad.jsonl"}}}, "a/b"),
        ({"primary": "gsm8k"}, "which is none of evaluate.tasks"),
        ({"evaluate": {"tasks": ["open:exam.jsonl"]}}, "has no score of its own"),
        ({"train": {"rows": 3}}, "train.rows: is what equalise and curve say"),
        ({"speed": 1}, "speed"),
    ],
)
def test_a_wrong_study_is_one_line(
    study: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    result = _study({**study, **change}, expected=2)
    assert words in " ".join(result.err.split())
    assert "Traceback" not in result.err
    assert not Path("runs").exists()


def test_an_arm_that_knows_its_exam_is_refused(study: dict[str, Any]) -> None:
    exam = rows_of(Path("exam.jsonl"))
    long = "compare the largest river of europe the danube is it a lake or two lakes"
    exam[2]["instruction"] = long
    _write("exam.jsonl", exam)
    rows = rows_of(Path("good.jsonl"))
    rows[5]["response"] = f"It is: {long}!"
    _write("good.jsonl", rows)
    result = _study({**study, "equalise": ["rows"]}, expected=2)
    assert "arms.good: 1 rows share words with a question, the first is good-5" in result.err
    assert "leaks: drop" in result.err
    assert not Path("runs").exists()
    _study({**study, "equalise": ["rows"], "leaks": "drop"})
    arms = {arm["name"]: arm for arm in _tree()["arms"]}
    assert arms["good"]["left_out"] == {"leaks": 1}
    assert arms["good"]["rows"] == 11


def test_other_settings_in_the_same_folder_are_refused(study: dict[str, Any]) -> None:
    tree = {**study, "equalise": ["rows"]}
    _study(tree)
    result = _study({**tree, "train": {**study["train"], "lr": 0.01}}, expected=2)
    assert "holds trainings with another train.lr" in result.err


@NEEDS_HARNESS
@pytest.mark.filterwarnings("ignore")  # of the harness and of what it imports
def test_a_task_of_the_harness_decides_and_may_not_leak(study: dict[str, Any]) -> None:
    question = "which of the two lakes is larger than the other one and by how much at least"
    lines = [{"question": f"{question} {n}", "choices": ["lake", "a"], "right": 0} for n in (1, 2)]
    Path("own").mkdir()
    _write("lakes.jsonl", lines)
    Path("own/lakes.yaml").write_text(HARNESS_TASK % Path("lakes.jsonl").resolve())
    evaluate = {"tasks": ["lm_eval:lakes"], "harness_tasks": "own"}
    tree = {**study, "evaluate": evaluate, "equalise": ["rows"]}
    tree["train"] = {**study["train"], "seeds": [0]}
    _study(tree)
    assert [own["questions"] for own in _tree()["figures"]] == [2, 2]
    rows = rows_of(Path("bad.jsonl"))
    _write("bad.jsonl", [*rows, {"id": "leak", "instruction": question, "response": "a"}])
    result = _study(tree, expected=2)
    assert "arms.bad: 1 rows share words with a question, the first is leak" in result.err


def test_a_study_chooses_among_the_methods_of_a_search(
    study: dict[str, Any], write_config: Any
) -> None:
    from autoevol.signatures import from_markdown

    config = write_config(32, evolve={"methods": ["weak"], "respond": True})
    run_cli("run", str(config), "--out", "runs/searched", expected=0)
    search = {"run": "runs/searched", "methods": 2, "rows": 12}
    train = {**study["train"], "seeds": [0], "epochs": 1}
    tree = {**study, "arms": {}, "search": search, "equalise": ["rows"], "train": train}
    planned = _study(tree, "--dry-run").out
    assert "arm start: runs/toy/arms/start/run, a run of this study" in planned
    assert not Path("runs/toy").exists()
    shown = _study(tree).out
    chosen = _tree()["chosen"]
    assert [cell["arm"] for cell in _tree()["cells"]] == ["start", "method-1"]
    method = from_markdown(Path("runs/toy/chosen.md").read_text("utf-8"), name="chosen")
    assert method.id == chosen["method"]
    best = Path("runs/searched/methods/best.md").read_text("utf-8")
    assert Path("runs/toy/methods/method-1.md").read_text("utf-8") == best
    assert "method   runs/toy/chosen.md: method-1" in shown
    wrong = _study({**tree, "search": {"run": "runs/toy"}, "name": "other"}, expected=2)
    assert "holds no search" in wrong.err
    clash = _study({**tree, "arms": {"start": {"file": "good.jsonl"}}, "name": "c"}, expected=2)
    assert "arms.start: is the name of a method's arm" in clash.err
    assert not Path("runs/other").exists()


def test_a_better_method_is_chosen_and_else_the_searchs_own() -> None:
    from autoevol.experiments.study.choice import choose
    from autoevol.signatures import Method

    methods = {name: Method(name, f"Do {name}.") for name in ("start", "method-1", "method-2")}
    assert choose(methods, {"method-2": 0.4, "other": 0.9}).arm == "method-2"
    assert choose(methods, {"method-1": 0.5, "method-2": 0.4}).arm == "method-1"
    assert choose(methods, {}).arm == "method-1"


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ({"instruction": "What's 3*7 ?", "response": "21 ."}, {"instruction": "What's 3*7?"}),
        ({"instruction": "北京的面积是多少平方公里呢请给出数字", "response": "一万六千"},) * 2,
        (
            {
                "turns": ["Which of the two is the longer river of all the rivers here", "And?"],
                "answers": ["a", "b"],
            },
            {"instruction": "Which of the two is the longer river of all the rivers here?"},
        ),
    ],
)
def test_a_leak_is_found_in_short_and_unspaced_questions_and_in_every_turn(
    study: dict[str, Any], question: dict[str, Any], row: dict[str, Any]
) -> None:
    _write("exam.jsonl", [{"id": "q", **question}])
    rows = rows_of(Path("good.jsonl"))
    _write("good.jsonl", [*rows, {"id": "leak", "response": "danube", **row}])
    result = _study({**study, "equalise": ["rows"]}, expected=2)
    assert "the first is leak with loss:exam.jsonl" in result.err


def test_a_shared_system_prompt_and_a_short_answer_are_no_leak(study: dict[str, Any]) -> None:
    system = "You are a helpful assistant that answers every question in as few words as it can."
    exam = {"id": "q", "system": system, "instruction": "compare two", "response": "danube"}
    _write("exam.jsonl", [exam])
    rows = [{**row, "system": system} for row in rows_of(Path("good.jsonl"))]
    rows[0]["response"] = "danube"
    _write("good.jsonl", rows)
    _study({**study, "equalise": ["rows"]}, "--dry-run")


def test_tokens_that_are_cut_are_not_counted(study: dict[str, Any]) -> None:
    long = " ".join(["danube volga"] * 40)
    _write("good.jsonl", [{"id": f"g{n}", "instruction": "a", "response": long} for n in range(4)])
    tree = {**study, "equalise": ["tokens"], "train": {**study["train"], "seeds": [0]}}
    tree["train"] = {**tree["train"], "max_length": 32}
    _study(tree)
    cells = {cell["arm"]: cell for cell in _tree()["cells"]}
    assert cells["good"]["tokens"] == 32 * cells["good"]["rows"]
    result = json.loads(Path("runs/toy", cells["good"]["folder"], "seed-0/result.json").read_text())
    assert result["tokens"] == cells["good"]["tokens"] * study["train"]["epochs"]


def test_an_interval_of_shares_stays_one_of_shares() -> None:
    from autoevol.experiments.evaluation.tasks.items import Task
    from autoevol.experiments.study.figures import _mean

    scores = np.array([[1.0] * 29 + [0.0], [1.0] * 30, [1.0] * 27 + [0.0] * 3])
    assert _mean(Task("t", "answer", ()), scores).high == 1.0
    assert _mean(Task("t", "loss", ()), scores).high > 1.0


def test_few_questions_decide_nothing(study: dict[str, Any]) -> None:
    _write("exam.jsonl", rows_of(Path("exam.jsonl"))[:1])
    _study({**study, "equalise": ["rows"]})
    page = Path("runs/toy/study.html").read_text("utf-8")
    assert "no arm differs from bad beyond its interval" in page
    assert "fewer than 6 questions decide nothing" in page


def test_arms_are_checked_before_a_run_is_made(study: dict[str, Any], write_config: Any) -> None:
    config = str(write_config(12, optimizer={"name": "none"}))
    Path("broken.jsonl").write_text('{"instruction": "a", "response": "b"}\n{broken\n')
    arms: dict[str, Any] = {"a": {"config": config}, "b": {"file": "broken.jsonl"}}
    assert "broken.jsonl" in _study({**study, "arms": arms}, expected=2).err
    arms = {"a": {"config": config, "set": ["evolve.respond=false"]}}
    assert "evolve.respond is false" in _study({**study, "arms": arms}, expected=2).err
    train = {**study["train"], "model": "nowhere"}
    arms = {"a": {"config": config}, "b": {"file": "good.jsonl"}}
    result = _study({**study, "arms": arms, "train": train}, "--yes", expected=2)
    assert "train.model" in result.err
    assert not Path("runs").exists()


def test_a_question_leaks_without_what_a_task_says_around_it() -> None:
    from autoevol.experiments.evaluation.tasks import benchmarks
    from autoevol.experiments.evaluation.tasks.items import Task
    from autoevol.experiments.study.leaks import leaks, texts_of
    from autoevol.experiments.training.examples import Example

    program = {
        "doc": {
            "task_id": 1,
            "text": "Write a function to count lakes.",
            "code": SOLUTION,
            "test_list": ["assert lakes('a lake') == 1"],
            "test_setup_code": "",
        }
    }
    choice = {
        "native_id": "c",
        "doc": {"query": "Question: Which river is long?\nAnswer:", "choices": ["a"], "gold": 0},
    }
    fact = {"question": "Which lake is deep?", "choices": ["a"], "answer": 0, "subject": "lakes"}
    questions = {
        "mbpp": texts_of(Task("mbpp", "answer", tuple(benchmarks._mbpp([program])))),
        "arc": texts_of(Task("arc", "choose", tuple(benchmarks._choices([choice])))),
        "mmlu": texts_of(Task("mmlu", "choose", tuple(benchmarks._mmlu([fact])))),
    }

    def found(question: str, answer: str = "yes") -> list[str]:
        example = Example("r", 1, ({"role": "user", "content": question},), answer)
        return [leak.task for leak in leaks([example], questions, 13)]

    assert found("write a function to count lakes") == ["mbpp"]
    assert found("Count lakes.", SOLUTION) == ["mbpp"]
    # What many would write or ask leaks nothing.
    assert found("Count.", "def lakes(text): return len(text)") == []
    assert found("A long river, you ask? Which river is long? I do not know.") == []
    assert found("which river is long") == ["arc"]
    assert found("which lake is deep") == ["mmlu"]
    assert found("Give Python code alone, in one code block. It has to pass this test: a") == []


def test_a_run_that_is_not_finished_is_no_arm(study: dict[str, Any], write_config: Any) -> None:
    config = write_config(12, optimizer={"name": "none"})
    run_cli("run", str(config), "--out", "runs/a", expected=0)
    tree = {**study, "arms": {"bad": {"file": "bad.jsonl"}, "own": {"run": "runs/a"}}}
    _study(tree, "--dry-run")
    kept = Path("runs/a/evolved.jsonl").read_text("utf-8").splitlines(keepends=True)
    Path("runs/a/evolved.jsonl").write_text("".join(kept[1:]), encoding="utf-8")
    assert f"has {len(kept) - 1} rows" in _study(tree, "--dry-run", expected=2).err
    Path("runs/a/summary.json").unlink()
    assert "arms.own.run: runs/a is no finished run's folder" in _study(tree, expected=2).err


def test_seeds_that_know_the_exam_cost_no_run(study: dict[str, Any], write_config: Any) -> None:
    config = write_config(12, optimizer={"name": "none"})
    (seed, *_) = rows_of(Path(yaml.safe_load(config.read_text("utf-8"))["data"]["path"]))
    _write("exam.jsonl", [{"id": "q", "instruction": seed["instruction"], "response": "danube"}])
    arms = {"bad": {"file": "bad.jsonl"}, "own": {"config": str(config)}}
    refused = _study({**study, "arms": arms}, expected=2).err
    assert "arms.own: 1 rows share words with a question" in refused
    assert not Path("runs").exists()


def test_arms_that_others_answered_are_named(study: dict[str, Any], write_config: Any) -> None:
    config = write_config(12, optimizer={"name": "none"})
    run_cli("run", str(config), "--out", "runs/a", expected=0)
    rows = rows_of(Path("runs/a/evolved.jsonl"))
    assert all(row["model_respond"] for row in rows)
    _write("runs/a/evolved.jsonl", [{**row, "model_respond": "openai/small"} for row in rows])
    arms = {"bad": {"file": "bad.jsonl"}, "own": {"run": "runs/a"}}
    train = {**study["train"], "seeds": [0], "epochs": 1}
    shown = _study({**study, "arms": arms, "equalise": ["rows"], "train": train})
    words = " ".join(shown.err.split())
    assert "the arms differ in who answered, too: bad unknown; own openai/small" in words
    assert [arm["answered_by"] for arm in _tree()["arms"]] == ["unknown", "openai/small"]
