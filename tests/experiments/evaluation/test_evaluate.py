"""`autoevol evaluate`: answers graded, losses as torch has them, resumed, paired, and refused."""

import json
import math
from pathlib import Path
from typing import Any

import mlflow
import pytest

from autoevol.program.draws import draw_number
from tests.support.command_line import Result, rows_of, run_cli
from tests.support.evaluating import HARNESS_TASK, NEEDS_HARNESS, NEEDS_PEFT
from tests.support.loopback import Answer, ReceivedRequest, answering, openai_reply
from tests.support.tiny_models import NEEDS_TORCH, TEMPLATE, save_llama, take_memory

NO_COMMA = {"kind": "no_commas", "options": {}, "text": "Use no comma."}


@pytest.fixture
def checked(workplace: Path) -> str:
    rows = [
        {"id": f"c{n}", "instruction": f"Say {n}, please.", "checks": [NO_COMMA]} for n in range(10)
    ]
    Path("checked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "checks:checked.jsonl"


def _number(request: ReceivedRequest) -> int:
    return int(request.body["messages"][-1]["content"].split()[1].strip(","))


def _evaluate(
    url: str, tasks: str, *extra: str, expected: int = 0, model: str = "openai/m"
) -> Result:
    base = ["--set", f"evaluate.api_base={url}/v1"] if url else []
    return run_cli("evaluate", model, "--tasks", tasks, *base, *extra, expected=expected)


def _figures(folder: str, task: str) -> dict[str, Any]:
    tree = json.loads(Path(folder, "evaluation.json").read_text("utf-8"))
    return dict(tree["tasks"][task])


def _even(request: ReceivedRequest) -> Answer:
    return 200, openai_reply("yes" if _number(request) % 2 == 0 else "yes, sure")


def test_a_wrong_key_names_the_section_that_has_it(checked: str) -> None:
    refusal = {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}
    with answering(lambda _: (401, refusal)) as server:
        result = _evaluate(server.url, checked, "--out", "a", expected=2)
    assert "evaluate" in result.err
    assert "models." not in result.err


def test_a_setting_that_the_model_refuses_is_named_in_its_section(checked: str) -> None:
    refusal = {"error": {"message": "max_tokens is too large: 512", "param": "max_tokens"}}
    with answering(lambda _: (400, refusal)) as server:
        result = _evaluate(server.url, checked, "--out", "a", expected=2)
    assert "evaluate.max_tokens" in result.err


def test_answers_are_graded_by_their_checks(checked: str) -> None:
    with answering(_even) as server:
        _evaluate(server.url, checked, "--out", "a")
    figures = _figures("a", checked)
    assert (figures["items"], figures["scored"], figures["value"]) == (10, 10, 0.5)
    # Wilson's interval of 5 of 10.
    assert figures["low"] == pytest.approx(0.2366, abs=1e-4)
    assert figures["high"] == pytest.approx(0.7634, abs=1e-4)
    (file,) = Path("a").glob("checks-checked-????????.jsonl")
    by_id = {row["id"]: row for row in rows_of(file)}
    assert by_id["c1"]["evidence"] == "Use no comma."
    assert by_id["c1"]["answer"] == "yes, sure"


def test_the_same_command_asks_only_what_has_no_answer(checked: str) -> None:
    def broken(request: ReceivedRequest) -> Answer:
        if _number(request) >= 7:
            return 400, {"error": {"message": "too long"}}
        return _even(request)

    with answering(broken) as server:
        shown = _evaluate(server.url, checked, "--out", "a").out
        url = server.url
    assert _figures("a", checked)["scored"] == 7
    assert "3 without a score" in shown
    assert "too long" in shown
    with answering(_even) as server:
        Path("a/ledger.sqlite").unlink()
        # Another port is another address, which is part of what an evaluation is.
        identity = Path("a/identity.json")
        identity.write_text(identity.read_text("utf-8").replace(url, server.url))
        _evaluate(server.url, checked, "--out", "a")
        assert sorted(map(_number, server.requests)) == [7, 8, 9]
        assert _figures("a", checked)["value"] == 0.5
        _evaluate(server.url, checked, "--out", "a")
        assert len(server.requests) == 3


def test_a_smaller_set_is_a_part_of_a_larger_one(checked: str) -> None:
    with answering(_even) as server:
        _evaluate(server.url, checked, "--out", "a", "--limit", "4")
        few = {_number(request) for request in server.requests}
        _evaluate(server.url, checked, "--out", "a", "--limit", "6")
        more = {_number(request) for request in server.requests}
    assert len(few) == 4
    assert few < more
    assert len(more) == len(server.requests) == 6


def test_a_line_that_a_kill_cut_off_is_asked_again(checked: str) -> None:
    with answering(_even) as server:
        _evaluate(server.url, checked, "--out", "a")
        (file,) = Path("a").glob("checks-checked-????????.jsonl")
        whole = file.read_text("utf-8")
        file.write_text(whole[:-20], encoding="utf-8")
        _evaluate(server.url, checked, "--out", "a")
    assert _figures("a", checked)["scored"] == 10


def test_two_models_are_compared_in_pairs(checked: str) -> None:
    def mostly(request: ReceivedRequest) -> Answer:
        return 200, openai_reply("yes, sure" if _number(request) == 0 else "yes")

    with answering(_even) as server:
        _evaluate(server.url, checked, "--out", "a")
    with answering(mostly) as server:
        shown = _evaluate(server.url, checked, "--out", "b", "--baseline", "a").out
    compared = json.loads(Path("b/evaluation.json").read_text("utf-8"))["compared"][checked]
    # Numbers 1, 3, 5, 7, 9 are won, 0 is lost: McNemar's p is 2 (C(6,5) + C(6,6)) / 2^6.
    assert (compared["won"], compared["lost"], compared["shared"]) == (5, 1, 10)
    assert compared["p"] == pytest.approx(14 / 64)
    assert compared["difference"] == pytest.approx(0.4)
    assert "5, 1" in shown


def test_a_judge_compares_open_answers_with_the_baselines(workplace: Path) -> None:
    rows = [{"id": f"o{n}", "instruction": f"Say {n} please."} for n in range(6)]
    Path("open.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def answer(request: ReceivedRequest) -> Answer:
        words = "a good deal of words " * (1 + (request.body["model"] == "b"))
        return 200, openai_reply(f"{words}about {_number(request)}")

    with answering(answer) as server:
        _evaluate(server.url, "open:open.jsonl", "--out", "a")
        extra = ["--baseline", "a", "--judge", "scripted/world"]
        result = _evaluate(server.url, "open:open.jsonl", "--out", "b", *extra, model="openai/b")
    (file,) = Path("b").glob("open-*.answers.jsonl")
    assert {row["id"] for row in rows_of(file)} == {row["id"] for row in rows}
    (judged,) = Path("b").glob("judged-*")
    pairs = rows_of(judged / "pairs.jsonl")
    assert len(pairs) == 6
    assert all(pair["ours"].count("good") == 2 for pair in pairs)
    assert all(pair["theirs"].count("good") == 1 for pair in pairs)
    assert "openai/b against openai/m" in " ".join(result.out.split())
    assert "without a score" not in result.out


def test_mlflow_has_the_figures(checked: str) -> None:
    with answering(_even) as server:
        _evaluate(server.url, checked, "--out", "a", model="openai/tracked")
    client = mlflow.MlflowClient()
    experiments = [e.experiment_id for e in client.search_experiments()]
    runs = client.search_runs(experiments, "tags.run_kind = 'evaluate'")
    (run,) = [run for run in runs if run.data.params["model"] == "openai/tracked"]
    assert run.data.metrics["eval/checks.checked.jsonl"] == 0.5
    assert run.data.metrics["eval/checks.checked.jsonl_low"] == pytest.approx(0.2366, abs=1e-4)


@NEEDS_TORCH
def test_a_loss_is_the_mean_of_an_answers_tokens(workplace: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    student = save_llama(workplace / "student")
    rows = [
        {"id": "a", "instruction": "name a lake", "response": "the largest river ."},
        {"id": "b", "instruction": "is it two", "response": "it is"},
        {"id": "c", "instruction": "no answer", "response": ""},
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _evaluate("", "loss:rows.jsonl", "--out", "a", model=str(student))
    results = {row["id"]: row for row in rows_of(next(Path("a").glob("loss-*.jsonl")))}
    assert results.keys() == {"a", "b"}
    tokenizer: Any = AutoTokenizer.from_pretrained(student)
    model: Any = AutoModelForCausalLM.from_pretrained(student)
    for row in rows[:2]:
        messages = [{"role": "user", "content": row["instruction"]}]
        before = tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]
        own = tokenizer(row["response"], add_special_tokens=False).input_ids
        labels = torch.tensor([[-100] * len(before) + own])
        with torch.inference_mode():
            loss = float(model(torch.tensor([before + own]), labels=labels).loss)
        assert results[row["id"]]["score"] == pytest.approx(loss, abs=1e-4)
        assert results[row["id"]]["weight"] == len(own)


@NEEDS_TORCH
def test_an_answer_is_read_where_a_training_has_it(workplace: Path) -> None:
    student = save_llama(workplace / "student")
    # Its prompts end before the heading of an answer.
    short = TEMPLATE.partition("{% if")[0]
    Path("short.jinja").write_text(short)
    row = {"id": "a", "instruction": "name a lake", "response": "the largest river ."}
    Path("rows.jsonl").write_text(json.dumps(row))
    losses = []
    for number, extra in enumerate([[], ["--set", "evaluate.chat_template=short.jinja"]]):
        _evaluate("", "loss:rows.jsonl", "--out", f"o{number}", *extra, model=str(student))
        losses.append(rows_of(next(Path(f"o{number}").glob("loss-*.jsonl")))[0]["score"])
    assert losses[0] == pytest.approx(losses[1])


@NEEDS_TORCH
def test_the_likeliest_choice_by_letter_is_taken(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoevol.experiments.evaluation.tasks import benchmarks

    def records(name: str, source: object) -> list[dict[str, Any]]:
        doc = {"query": "name a", "choices": ["lake", "volga danube europe"], "gold": 1}
        return [{"native_id": "q", "doc": doc}, {"native_id": "q", "doc": doc}]

    monkeypatch.setattr(benchmarks, "records_of", records)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    student = save_llama(workplace / "student")
    _evaluate("", "arc_easy", "--out", "a", model=str(student))
    (result,) = rows_of(Path("a/arc_easy.jsonl"))
    tokenizer: Any = AutoTokenizer.from_pretrained(student)
    model: Any = AutoModelForCausalLM.from_pretrained(student)
    means = []
    for choice in ("lake", "volga danube europe"):
        before, whole = tokenizer("name a").input_ids, tokenizer(f"name a {choice}").input_ids
        with torch.inference_mode():
            logits = torch.log_softmax(model(torch.tensor([whole])).logits[0], -1)
        own = range(len(before), len(whole))
        means.append(sum(float(logits[n - 1, whole[n]]) for n in own) / (len(choice) + 1))
    assert result["answer"] == ("lake" if means[0] > means[1] else "volga danube europe")
    assert math.isclose(result["score"], float(means[1] > means[0]))


@NEEDS_TORCH
def test_answers_are_those_of_transformers_one_by_one(workplace: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    student = save_llama(workplace / "student")
    texts = ["name a lake", "is it", "compare the largest river of europe"]
    rows = [{"id": f"r{n}", "instruction": text} for n, text in enumerate(texts)]
    Path("open.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    extra = ["--set", "evaluate.max_tokens=6"]
    _evaluate("", "open:open.jsonl", "--out", "a", *extra, model=str(student))
    (file,) = [f for f in Path("a").glob("open-*.jsonl") if "answers" not in f.name]
    answers = {row["id"]: row["answer"] for row in rows_of(file)}
    tokenizer: Any = AutoTokenizer.from_pretrained(student)
    model: Any = AutoModelForCausalLM.from_pretrained(student)
    for row in rows:
        messages = [{"role": "user", "content": row["instruction"]}]
        ids = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )["input_ids"]
        with torch.inference_mode():
            whole = model.generate(ids, max_new_tokens=6, do_sample=False)
        alone = tokenizer.decode(whole[0, ids.shape[1] :], skip_special_tokens=True)
        assert answers[row["id"]] == alone


@NEEDS_PEFT
def test_a_trained_adapter_is_a_model(workplace: Path) -> None:
    student = save_llama(workplace / "student")
    rows = [
        {"id": f"r{n}", "instruction": "name a lake", "response": "danube volga danube volga ."}
        for n in range(8)
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    steps = ["--set=train.epochs=8", "--set=train.lr=0.05", "--set=train.max_length=64"]
    run_cli("train", "rows.jsonl", "--model", str(student), *steps, expected=0)
    _evaluate("", "loss:rows.jsonl", "--out", "before", model=str(student))
    model = "runs/train-rows/seed-0/model"
    _evaluate("", "loss:rows.jsonl", "--baseline", "before", model=model)
    folder = "runs/train-rows/seed-0/evaluation"
    before, after = (_figures(f, "loss:rows.jsonl")["value"] for f in ("before", folder))
    assert after < before - 0.5
    tree = json.loads(Path(folder, "evaluation.json").read_text("utf-8"))
    assert tree["compared"]["loss:rows.jsonl"]["difference"] == pytest.approx(after - before)
    # MLflow has it below the training, with the fingerprint of what was trained on.
    client = mlflow.MlflowClient()
    experiments = [e.experiment_id for e in client.search_experiments()]
    runs = client.search_runs(experiments, "tags.run_kind = 'evaluate'")
    (run,) = [run for run in runs if run.data.params["model"] == model]
    training = client.get_run(run.data.tags["mlflow.parentRunId"])
    assert training.data.params["model"] == str(student)
    fingerprint = training.data.params["data_fingerprint"]
    assert run.data.params["data_fingerprint"] == fingerprint


@NEEDS_TORCH
def test_too_little_memory_names_the_batch_to_try(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import LlamaForCausalLM

    free = "autoevol.experiments.pretrained.free_memory.free_memory"
    monkeypatch.setattr(free, lambda: 128 << 20)
    monkeypatch.setattr(LlamaForCausalLM, "forward", lambda *_, **__: take_memory(512 << 20))
    student = save_llama(workplace / "student")
    Path("rows.jsonl").write_text(json.dumps({"instruction": "is it", "response": "a lake"}))
    shown = _evaluate("", "loss:rows.jsonl", model=str(student), expected=2).err
    assert "evaluate.batch: 8 takes too much memory; try evaluate.batch=4" in shown


@NEEDS_PEFT
@pytest.mark.local
def test_the_embedded_student_is_trained_and_evaluated(workplace: Path) -> None:
    """16 rows, two steps, and 20 questions before and after: the whole way on a real model."""
    rows = [
        {"id": f"r{n}", "instruction": f"Name the number {n}.", "response": f"It is {n}."}
        for n in range(36)
    ]
    lines = [json.dumps({**row, "checks": [NO_COMMA]}) + "\n" for row in rows]
    Path("train.jsonl").write_text("".join(lines[:16]))
    Path("test.jsonl").write_text("".join(lines[16:]))
    steps = ["--set=train.batch=8", "--set=train.lr=0.002", "--set=train.max_length=128"]
    run_cli("train", "train.jsonl", *steps, expected=0)
    model, student = "runs/train-train/seed-0/model", "local/smollm2-135m-instruct"
    options = ["--set", "evaluate.max_tokens=12", "--out"]
    tasks = "checks:test.jsonl,loss:test.jsonl"
    _evaluate("", tasks, *options, "before", model=student)
    _evaluate("", tasks, *options, "after", "--baseline", "before", model=model)
    assert _figures("after", "checks:test.jsonl")["scored"] == 20
    losses = [_figures(folder, "loss:test.jsonl")["value"] for folder in ("before", "after")]
    assert losses[1] < losses[0]


@pytest.mark.parametrize(
    ("model", "arguments", "words"),
    [
        ("openai/m", ["--tasks", "unheard"], "no such task; must be one of ifeval, gsm8k"),
        ("openai/m", ["--tasks", "loss:rows.jsonl"], "needs the probabilities of tokens"),
        ("openai/m", ["--tasks", "checks:rows.jsonl"], "has no row with checks"),
        ("openai/m", ["--tasks", "checks:missing.jsonl"], "missing.jsonl"),
        ("openai/m", ["--tasks", "open:rows.jsonl", "--judge", "openai/j"], "--baseline"),
        ("openai/m", ["--tasks", "open:rows.jsonl", "--baseline", "."], "evaluation.json"),
        ("openai/m", ["--tasks", "open:rows.jsonl", "--set", "evaluate.speed=1"], "evaluate.speed"),
        ("openai/m", ["--tasks", "open:rows.jsonl,open:rows.jsonl"], "names one twice"),
        (
            "openai/m",
            ["--tasks", "open:rows.jsonl", "--set", "evaluate.api_base=http://me:pass@host/v1"],
            "evaluate.api_base: holds a password",
        ),
        ("unheard/of", ["--tasks", "open:rows.jsonl"], "unheard"),
        ("empty", ["--tasks", "open:rows.jsonl"], "empty cannot be loaded"),
    ],
)
def test_a_wrong_request_is_one_line(
    workplace: Path, model: str, arguments: list[str], words: str
) -> None:
    if model == "empty":
        pytest.importorskip("torch", reason="the extra `scores` is not installed: make scores")
    Path("rows.jsonl").write_text(json.dumps({"id": "a", "instruction": "b", "response": "c"}))
    Path("empty").mkdir()
    result = run_cli("evaluate", model, *arguments, expected=2)
    assert words in result.err.replace("\n", " ")
    assert "Traceback" not in result.err
    assert not Path("runs").exists()


@NEEDS_TORCH
def test_wrong_models_are_one_line(workplace: Path) -> None:
    import torch

    Path("rows.jsonl").write_text(json.dumps({"id": "a", "instruction": "is it"}))
    student = save_llama(workplace / "student")
    _evaluate("", "open:rows.jsonl", "--out", "a", model=str(student))
    other = save_llama(workplace / "other", positions=32)
    shown = _evaluate("", "open:rows.jsonl", "--out", "a", model=str(other), expected=2)
    assert "holds an evaluation with another weights" in shown.err
    torch.save({}, other / "pytorch_model.bin")
    (other / "model.safetensors").unlink()
    shown = _evaluate("", "open:rows.jsonl", model=str(other), expected=2)
    assert "cannot be loaded" in shown.err
    Path(student, "chat_template.jinja").unlink(missing_ok=True)
    file = Path(student, "tokenizer_config.json")
    own = {k: v for k, v in json.loads(file.read_text()).items() if k != "chat_template"}
    file.write_text(json.dumps(own))
    shown = _evaluate("", "open:rows.jsonl", "--out", "c", model=str(student), expected=2)
    assert "has no chat template; give one in a file" in shown.err
    assert not Path("c").exists()


@NEEDS_HARNESS
@pytest.mark.filterwarnings("ignore")  # of the harness and of what it imports
def test_a_task_of_the_harness_is_run_by_the_harness(workplace: Path) -> None:
    student = save_llama(workplace / "student")
    lines = [
        {"question": "name a", "choices": ["lake", "danube"], "right": n % 2} for n in range(4)
    ]
    Path("own").mkdir()
    Path("lakes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    Path("own/lakes.yaml").write_text(HARNESS_TASK % (workplace / "lakes.jsonl"))
    own = ["--set", "evaluate.harness_tasks=own"]
    _evaluate("", "lm_eval:lakes", "--out", "a", *own, model=str(student))
    figures = _figures("a", "lm_eval:lakes")
    # One of the two choices is always the likelier one, and each is right twice.
    assert (figures["items"], figures["scored"], figures["value"]) == (4, 4, 0.5)
    shown = _evaluate("", "lm_eval:unheard", "--out", "b", *own, model=str(student), expected=2)
    assert "the harness cannot run it" in shown.err
    # Fewer questions are drawn, not the first of the file.
    _evaluate("", "lm_eval:lakes", "--out", "c", "--limit", "2", *own, model=str(student))
    (file,) = Path("c").glob("lm_eval-lakes-*.jsonl")
    drawn = sorted(range(4), key=lambda n: draw_number("evaluate", "lakes", n))[:2]
    assert {row["id"] for row in rows_of(file)} == {f"lakes-{n}" for n in drawn}
    broken = HARNESS_TASK.replace("{{question}}", "{{question | unheard}}")
    Path("own/lakes.yaml").write_text(broken % (workplace / "lakes.jsonl"))
    shown = _evaluate("", "lm_eval:lakes", "--out", "d", *own, model=str(student), expected=2)
    assert "the harness cannot run it: No filter named 'unheard'" in " ".join(shown.err.split())


def test_a_further_task_leaves_the_figures_of_the_others(checked: str) -> None:
    Path("open.jsonl").write_text(json.dumps({"id": "o", "instruction": "Say 2 please."}))
    with answering(_even) as server:
        _evaluate(server.url, checked, "--out", "a")
        _evaluate(server.url, "open:open.jsonl", "--out", "a")
    assert _figures("a", checked)["value"] == 0.5
    assert _figures("a", "open:open.jsonl")["items"] == 1


def test_a_model_that_gives_no_number_has_no_score() -> None:
    from autoevol.experiments.evaluation.evaluating import _choice, _loss
    from autoevol.experiments.evaluation.tasks.items import Item

    nan = float("nan")
    item = Item("a", ({"role": "user", "content": "x"},), {"choices": [" a", " b"], "right": 0})
    assert _loss(item, [-1.0, nan]).score is None
    assert _loss(item, []).score is None
    assert _loss(item, [-1.0, -3.0]).score == 2.0
    assert _choice(item, [((item, " a"), [-1.0]), ((item, " b"), [nan])]).score is None
    assert _choice(item, [((item, " a"), [-1.0]), ((item, " b"), [-4.0])]).score == 1.0


def test_an_answer_that_could_not_be_graded_is_graded_again_and_not_asked_again(
    checked: str,
) -> None:
    with answering(_even) as server:
        _evaluate(server.url, checked, "--out", "a")
        (file,) = Path("a").glob("checks-checked-????????.jsonl")
        rows = rows_of(file)
        broken = {**rows[0], "score": None, "evidence": "timeout"}
        file.write_text("".join(json.dumps(row) + "\n" for row in [broken, *rows[1:]]))
        _evaluate(server.url, checked, "--out", "a")
        assert len(server.requests) == 10
    assert _figures("a", checked)["scored"] == 10


def test_silence_is_held_against_an_answer(workplace: Path) -> None:
    rows = [{"id": f"o{n}", "instruction": f"Say {n} please."} for n in range(2)]
    Path("open.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def answer(request: ReceivedRequest) -> Answer:
        return 200, openai_reply(" " if request.body["model"] == "b" else "a good deal of words")

    with answering(answer) as server:
        _evaluate(server.url, "open:open.jsonl", "--out", "a")
        extra = ["--baseline", "a", "--judge", "scripted/world", "--json"]
        out = _evaluate(server.url, "open:open.jsonl", "--out", "b", *extra, model="openai/b").out
    judged = json.loads(out)["judged"]["open:open.jsonl"]
    assert judged["won"] + judged["tied"] + judged["lost"] + judged["unscored"] == 2
    (file,) = Path("b").glob("judged-*/pairs.jsonl")
    assert {pair["ours"] for pair in rows_of(file)} == {"(no answer)"}


def test_a_judge_without_answers_of_the_baseline_says_so(checked: str) -> None:
    Path("open.jsonl").write_text(json.dumps({"id": "o", "instruction": "Say 2 please."}))
    with answering(_even) as server:
        _evaluate(server.url, checked, "--out", "a")
        extra = ["--baseline", "a", "--judge", "scripted/world"]
        shown = _evaluate(server.url, "open:open.jsonl", "--out", "b", *extra).out
    assert "open:open.jsonl: a has no results of these questions" in shown
