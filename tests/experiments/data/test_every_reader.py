"""Whatever a writer takes, every reader takes, and gives back equal."""

import csv
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoevol.experiments.artifacts.funnel import funnel
from autoevol.experiments.artifacts.row_files import row_files
from autoevol.experiments.data.convert import convert
from autoevol.experiments.data.equalise import equalise
from autoevol.experiments.data.formats.catalogue import FORMATS
from autoevol.experiments.data.formats.conversation import exchanges, messages_of
from autoevol.experiments.data.formats.joonavel import TRACE, UNANSWERED
from autoevol.experiments.data.formats.rows import RowDict, prompt_of
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.data.formats.target import write_rows
from autoevol.experiments.data.merge import merge
from autoevol.experiments.files.reading import read_file, read_rows
from autoevol.experiments.judging.labelled import read_labelled
from autoevol.experiments.report.lineages import lineages, read_evolved
from autoevol.experiments.scores.files import evolved_rows
from autoevol.metrics import Reason
from autoevol.program.records import Outcome, Row
from autoevol.signatures import Method, from_markdown, to_markdown
from tests.support.command_line import run_cli
from tests.support.odd_rows import CARRIED, ODD_TEXTS, PRESENT, TEXTS, row_lists

tried = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LISTS = ("trace", "turns", "answers")
OURS = [name for name in Row.__slots__ if name != "scores"]


@contextmanager
def folder() -> Iterator[Path]:
    """Return an empty folder; pytest's lasts for all examples of a test."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def silent(line: str) -> None:
    """Take a message of a tool."""


def plain(row: Row) -> RowDict:
    return {**row.as_dict(), **{name: list(getattr(row, name)) for name in LISTS}}


def finite(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scores.items() if math.isfinite(value)}


def as_read(row: Row) -> RowDict:
    """Return what a reader makes of a row: a NaN is no figure."""
    origin = row.origin or ("" if row.round else row.instruction)
    return {**plain(row), "scores": finite(dict(row.scores)), "origin": origin}


def write(file: Path, rows: Sequence[Row], name: str) -> Path:
    write_rows(file, (plain(row) for row in rows), FORMATS[name])
    return file


def strict_json(text: str) -> Any:
    """Return a value as readers of RFC 8259 take it."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


@tried
@given(row_lists())
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
def test_rows_are_read_back_from_every_kind_of_file(suffix: str, rows: list[Row]) -> None:
    with folder() as path:
        file = write(path / f"a{suffix}", rows, "rows")
        assert list(open_source(file).rows) == [as_read(row) for row in rows]


@tried
@given(row_lists())
def test_a_runs_folder_is_read_by_everything_that_reads_one(rows: list[Row]) -> None:
    with folder() as path:
        with row_files(path) as writer:
            for row in rows:
                reasons = (Reason("bloated", row.response), Reason("echo", row.instruction))
                writer(Outcome(row, row, "kept"))
                writer(Outcome(row, row, "failed", "evolve", reasons, raw=row.thinking))
        evolved = path / "evolved.jsonl"
        expected = [as_read(row) for row in rows]
        assert [plain(row) for row in evolved_rows(path)] == expected
        assert list(open_source(evolved).rows) == expected
        assert len(lineages(evolved, read_evolved(evolved, Random(1)))) == len(rows)
        assert [part.rows for part in funnel(read_rows(path / "failures.jsonl"))]
        for line in evolved.read_text("utf-8").split("\n")[:-1]:
            strict_json(line)


@tried
@given(row_lists())
def test_half_of_a_pair_in_a_reply_does_not_break_a_folder(rows: list[Row]) -> None:
    with folder() as path:
        with row_files(path) as writer:
            for row in rows:
                writer(Outcome(row, replace(row, response=f"{row.response}\ud800"), "kept"))
        replies = [row.response for row in evolved_rows(path)]
        assert replies == [f"{row.response}\ufffd" for row in rows]


def talk(row: RowDict) -> Any:
    return messages_of(row)


def parts(row: RowDict) -> Any:
    return row["instruction"], row["input"], row["response"]


def generation(row: RowDict) -> Any:
    answer = "" if row["response"] in UNANSWERED else row["response"]
    return prompt_of(row), answer, row["origin"], row["root"], list(row["trace"])


def pair(row: RowDict) -> Any:
    answer = "" if row["response"] in UNANSWERED else row["response"]
    return prompt_of(row), answer, row["origin"], row["root"]


KEPT: dict[str, Callable[[RowDict], Any]] = {
    **dict.fromkeys(("sharegpt", "messages", "trl"), talk),
    **dict.fromkeys(("alpaca", "llama_factory"), exchanges),
    **{"self_instruct": parts, "koevol": generation, "auto_evol": pair},
}


@tried
@given(row_lists(methods=st.sampled_from(TRACE)))
@pytest.mark.parametrize("name", KEPT)
def test_every_format_gives_back_what_it_holds(name: str, rows: list[Row]) -> None:
    kept = KEPT[name]
    with folder() as path:
        file = write(path / "a.json", rows, name)
        strict_json(file.read_text("utf-8"))
        # Without the name of the format, as `merge`, `score` and `compare` read a file.
        read = list(open_source(file).rows)
        assert [kept(row) for row in read] == [kept(plain(row)) for row in rows]


def stays(value: Any) -> bool:
    """Tell whether a value is no number that becomes null, which the next reader leaves out."""
    return not isinstance(value, float) or math.isfinite(value)


@tried
@given(
    st.lists(st.dictionaries(PRESENT, CARRIED.filter(stays), max_size=4), min_size=1, max_size=3)
)
def test_columns_that_are_no_rows_are_carried_along(others: list[dict[str, Any]]) -> None:
    records = [
        {**other, "instruction": "Name a tree.", "id": str(n)} for n, other in enumerate(others)
    ]
    with folder() as path:
        lines = (json.dumps(record) + "\n" for record in records)
        (path / "a.jsonl").write_text("".join(lines), "utf-8")
        options = {"read_as": "rows", "write_as": "rows", "say": silent}
        convert(path / "a.jsonl", path / "b.jsonl", **options)  # type: ignore[arg-type]
        convert(path / "b.jsonl", path / "c.json", **options)  # type: ignore[arg-type]
        merge(path / "m.jsonl", [path / "b.jsonl"], say=silent)
        equalise((path / "a.jsonl", path / "b.jsonl"), by="count", seed=1, out=None, say=silent)
        first = strict_json((path / "b.jsonl").read_text("utf-8").split("\n")[0])
        assert strict_json((path / "c.json").read_text("utf-8"))[0] == first
        for name in ("m.jsonl", "b.equal.jsonl"):
            assert strict_json((path / name).read_text("utf-8").split("\n")[0]) == first


@tried
@given(st.lists(st.fixed_dictionaries({"a": TEXTS, "b": TEXTS}), min_size=1, max_size=4))
def test_tables_of_others_are_read_as_they_are(records: list[dict[str, str]]) -> None:
    with folder() as path:
        with (path / "a.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, ["a", "b"], quoting=csv.QUOTE_ALL)
            table.writeheader()
            table.writerows(records)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), path / "a.parquet")
        (path / "a.json").write_text(
            json.dumps({"columns": ["a", "b"], "data": [[r["a"], r["b"]] for r in records]})
        )
        filled = [record for record in records if any(map(str.strip, record.values()))]
        for name, expected in (("a.csv", filled), ("a.parquet", filled), ("a.json", records)):
            assert [record.value for record in read_file(path / name)] == expected


@tried
@given(PRESENT, TEXTS, st.none() | TEXTS)
def test_labelled_rows_hold_any_text(seed: str, evolved: str, response: str | None) -> None:
    record = {"seed": seed, "evolved": evolved, "response": response, "failed": False}
    with folder() as path:
        (path / "a.jsonl").write_text(json.dumps(record, ensure_ascii=False) + "\n", "utf-8")
        (row,) = read_labelled(path / "a.jsonl")
    assert (row.case.source, row.case.evolved, row.case.response) == (seed, evolved, response)


@tried
@given(PRESENT, PRESENT.map(str.strip), st.lists(st.tuples(TEXTS, TEXTS), max_size=2))
def test_a_method_is_read_back(name: str, text: str, shown: list[tuple[str, str]]) -> None:
    method = Method(name, text, tuple(shown))
    read = from_markdown(to_markdown(method), name="x")
    assert read == method
    assert read.id == method.id


def test_every_command_reads_a_folder_whose_rows_hold_odd_texts(
    finish: Callable[..., Path],
) -> None:
    finish(optimizer={"name": "none"})
    run = Path("runs/test")
    lines = (run / "evolved.jsonl").read_text("utf-8").split("\n")[:-1]
    with row_files(run) as writer:
        for number, text in enumerate([*ODD_TEXTS, "x" * 200_000]):
            values = json.loads(lines[number % len(lines)])
            row = Row(
                **{
                    **values,
                    "id": f"odd-{number}",
                    "instruction": f"Name a tree. {text}",
                    "response": f"Oak. {text}",
                    "scores": {"added_words": 2.0, "confidence": math.nan},
                }
            )
            writer(Outcome(row, row, "kept"))
            writer(Outcome(row, row, "failed", "evolve", (Reason("echo", text),), raw=text))
    evolved = str(run / "evolved.jsonl")
    run_cli("score", str(run), expected=0)
    run_cli("report", str(run), expected=0)
    formats = [
        part
        for name in ("alpaca", "sharegpt", "messages", "llama_factory", "trl", "parquet", "hf")
        for part in ("--format", name)
    ]
    run_cli("export", str(run), *formats, "--overwrite", expected=0)
    for name in KEPT:
        if name != "koevol":  # which has no digit for the method of this run
            run_cli("convert", evolved, f"{name}.json", "--to", name, expected=0)
            run_cli("convert", f"{name}.json", f"{name}.jsonl", expected=0)
            run_cli("merge", f"{name}-merged.jsonl", f"{name}.json", evolved, expected=0)
    run_cli("score", evolved, "--scores", "length,lexical", expected=0)
    run_cli("compare", str(run), str(run), "--out", "compared", expected=0)
    for file in Path().rglob("*.jsonl"):
        for line in file.read_text("utf-8").split("\n")[:-1]:
            strict_json(line)
