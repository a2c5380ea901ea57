"""`autoevol report`: a page of a folder's contents, the same at a run's end and later."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest

from autoevol.experiments.report.lineages import LineageStage, lineages, read_evolved
from autoevol.experiments.report.word_diff import Piece, mark_new_words
from tests.support.command_line import run_cli
from tests.support.html_pages import read_page

WriteConfig = Callable[..., Path]
RUN = Path("runs/test")
NO_SEARCH = {"optimizer": {"name": "none"}, "evolve": {"methods": ["weak"], "rounds": 2}}
HOSTILE = "List <script>alert('1')</script> & the 3 largest rivers of Europe."


def rows_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_later_report_equals_the_one_at_the_runs_end(finish: WriteConfig) -> None:
    finish(60)
    first = (RUN / "report.html").read_bytes()
    (RUN / "report.html").unlink()
    (RUN / "failure_rate.png").unlink()
    shown = run_cli("report", str(RUN), expected=0).out
    assert shown.strip() == "runs/test/report.html: report"
    assert (RUN / "report.html").read_bytes() == first
    assert (RUN / "failure_rate.png").is_file()


def test_the_report_shows_the_search_with_every_accepted_change(
    finish: WriteConfig,
) -> None:
    finish(60)
    record = json.loads((RUN / "steps.json").read_text())
    page = read_page(RUN / "report.html")
    accepted = [s for s in record["steps"] if s["best"]["method"] != s["incumbent"]["method"]]
    changes = page.all("details", "change")
    assert len(changes) == len(accepted) == 1
    best = record["methods"][accepted[0]["best"]["method"]]
    added = " ".join(line.text for line in changes[0].all("span", "plus"))
    assert best["instructions"].split()[-3:] == added.split()[-3:]
    tables = [table.text for table in page.all("table")]
    (search,) = [text for text in tables if text.startswith("step candidate")]
    proposals = [proposal for step in record["steps"] for proposal in step["proposals"]]
    assert search.count("accepted") == 1
    assert all(proposal["operator"] in search for proposal in proposals)
    assert any(text.startswith("method failure rate on fresh rows") for text in tables)


def test_the_report_says_what_mattered_in_the_proposals(finish: WriteConfig) -> None:
    finish(60, optimizer={"steps": 4, "batch_size": 4, "candidates": 6, "headroom": False})
    record = json.loads((RUN / "steps.json").read_text())
    assert set(record["importances"]) == {"operator", "parent", "shown", "boldness"}
    text = read_page(RUN / "report.html").text
    assert f"operator {record['importances']['operator']:.2f}" in text


def test_added_scores_are_in_the_report_and_in_mlflow(
    write_config: WriteConfig,
) -> None:
    run_cli("run", str(write_config(12, **NO_SEARCH)), expected=0)
    assert not read_page(RUN / "report.html").all("img", "x")
    assert "Judged by" not in (RUN / "report.html").read_text()
    run_cli("score", str(RUN), "--scores", "length,complexity,difficulty", expected=0)

    page = read_page(RUN / "report.html")
    assert "Judged by scripted/world." in page.text
    assert [h.text for h in page.all("h3")][-20:].count("Complexity, 0 to 100") == 1
    tables = {table.text for table in page.all("table")}
    (complexity,) = [text for text in tables if "7 (7–7)" in text]
    assert complexity.startswith("seeds round 1 round 2 mean, 95 % interval")
    assert "rows scored / unscored 12 / 0" in complexity
    run_id = json.loads((RUN / "summary.json").read_text())["mlflow_run_id"]
    assert kept_page(run_id) == (RUN / "report.html").read_text()


def kept_page(run_id: str) -> str:
    """Return the report that MLflow holds."""
    local = mlflow.MlflowClient().download_artifacts(run_id, "report.html")
    return Path(local).read_text("utf-8")


def test_a_later_report_replaces_the_one_in_mlflow(
    write_config: WriteConfig,
) -> None:
    run_cli("run", str(write_config(12, **NO_SEARCH)), expected=0)
    config = (RUN / "config.yaml").read_text()
    (RUN / "config.yaml").write_text(config.replace("name: test\n", "name: another\n"))
    run_cli("report", str(RUN), expected=0)
    run_id = json.loads((RUN / "summary.json").read_text())["mlflow_run_id"]
    assert "<title>another" in kept_page(run_id)


def test_scores_of_changed_rows_are_marked(finish: WriteConfig) -> None:
    finish(12, **NO_SEARCH)
    run_cli("score", str(RUN), "--scores", "length", expected=0)
    assert "rows have changed" not in read_page(RUN / "report.html").text
    evolved = (RUN / "evolved.jsonl").read_text().splitlines(keepends=True)
    (RUN / "evolved.jsonl").write_text("".join(evolved[:-1]))
    run_cli("report", str(RUN), expected=0)
    assert "rows have changed" in read_page(RUN / "report.html").text


def test_an_older_folder_gets_a_report_that_says_what_it_lacks(finish: WriteConfig) -> None:
    finish()
    (RUN / "steps.json").unlink()
    result = run_cli("report", str(RUN), expected=0)
    page = read_page(RUN / "report.html")
    assert "no steps.json" in result.err
    assert "an earlier version made the run" in page.by_id("search").text + page.text
    assert not any(table.text.startswith("step candidate") for table in page.all("table"))
    assert "List" in page.text


def test_hostile_rows_are_text(workplace: Path, write_config: WriteConfig) -> None:
    config = write_config(**NO_SEARCH, failure={"rules": []})
    rows = [{"instruction": HOSTILE}, {"instruction": "</pre></article><img src=x onerror=y> Why?"}]
    Path("seeds.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run_cli("run", str(config), expected=0)
    page = read_page(RUN / "report.html")
    assert HOSTILE in page.text
    assert "<img src=x onerror=y>" in page.text
    assert not any("onerror" in image.attributes for image in page.all("img"))


def test_a_failed_row_without_a_reply_is_shown(finish: WriteConfig) -> None:
    finish(8, **NO_SEARCH)
    failed = {"id": "a", "round": 1, "failed_at": "evolve", "origin": "Why?", "raw": None}
    failed |= {"instruction": None, "reasons": [{"rule": "empty", "evidence": "no text"}]}
    (RUN / "failures.jsonl").write_text(json.dumps(failed))
    run_cli("report", str(RUN), expected=0)
    assert "empty: no text" in read_page(RUN / "report.html").text


def test_the_lineage_of_a_row_shows_each_round_and_what_it_added(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config(12, **NO_SEARCH)), expected=0)
    evolved = {row["id"]: row for row in rows_of(RUN / "evolved.jsonl")}
    last = next(row for row in evolved.values() if row["round"] == 2)
    page = read_page(RUN / "report.html")
    (article,) = [a for a in page.all("article") if last["id"] in [h.text for h in a.all("header")]]
    labels = [label.text for label in article.all("span", "label")]
    assert labels == ["seed", "round 1 weak", "round 2 weak", "response scripted/world"]
    seed, first, second = (part.text for part in article.all("div", "text")[:3])
    assert seed == last["origin"]
    assert first == evolved[last["parent_id"]]["instruction"]
    assert second == last["instruction"]
    added = article.all("ins")
    assert added
    assert all(part.text not in seed for part in added[:1])


def test_words_that_were_added_are_marked_and_nothing_is_lost() -> None:
    pieces = mark_new_words("List rivers of Europe.", "List the five rivers of Europe and  why.\n")
    assert "".join(piece.text for piece in pieces) == "List the five rivers of Europe and  why.\n"
    assert [piece.text for piece in pieces if piece.is_new] == ["the five", "and  why"]
    assert not any(
        piece.is_new for piece in mark_new_words("List rivers.", "What is a prime number?")
    )
    assert not any(piece.is_new for piece in mark_new_words("a b c", "a b c"))


def row(identity: str, parent: str | None, number: int, text: str) -> dict[str, Any]:
    seed = identity.split(".")[0]
    plain = {"id": identity, "seed_id": seed, "parent_id": parent, "round": number}
    return {**plain, "method": "deepen", "instruction": text, "turns": [], "origin": "Name rivers."}


def write_rows(*rows: dict[str, Any]) -> Path:
    file = Path("evolved.jsonl")
    file.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in rows))
    return file


def histories_of(*rows: dict[str, Any]) -> dict[str, tuple[list[LineageStage], str]]:
    file = write_rows(*rows)
    evolved = read_evolved(file, random.Random(0))
    return {
        history.row["id"]: ([*history.stages], history.note) for history in lineages(file, evolved)
    }


def test_added_words_are_counted_against_the_parent(workplace: Path) -> None:
    rows = (
        row("a.1", "a", 1, "Name two rivers."),
        row("a.1.2", "a.1", 2, "Name two rivers. Say why — 왜?"),
        row("a.2", "a", 2, "Name."),
        {**row("b.2", "a.1", 2, "Another one."), "seed_id": "b.2"},
    )
    evolved = read_evolved(write_rows(*rows), random.Random(0))
    assert {number: [*added] for number, added in evolved.added.items()} == {
        1: [1.0],
        2: [3.0, -1.0],
    }
    assert evolved.rows == {1: 1, 2: 3}


def test_a_lineage_leads_through_the_rows_in_the_file(workplace: Path) -> None:
    histories = histories_of(
        row("a.1", "a", 1, "Naïve rivers?"), row("a.1.2", "a.1", 2, "Naïve 강 rivers?")
    )
    stages, note = histories["a.1.2"]
    assert [(s.round, "".join(p.text for p in s.pieces)) for s in stages] == [
        (0, "Name rivers."),
        (1, "Naïve rivers?"),
        (2, "Naïve 강 rivers?"),
    ]
    assert note == ""


def test_the_gap_in_a_lineage_is_named(workplace: Path) -> None:
    later = row("a.1.2.3", "a.1.2", 3, "Name three rivers.")
    new = {**row("b.1", "b", 1, "Name a sea."), "seed_id": "b.1", "origin": "Name a sea."}
    child = {
        **row("b.1.2", "b.1", 2, "Name a deep sea."),
        "seed_id": "b.1",
        "origin": "Name a sea.",
    }
    histories = histories_of(later, new, child)
    assert histories["a.1.2.3"][1] == "the rounds before round 3 are not in this folder"
    assert histories["b.1"][1] == "a new instruction, inspired by b"
    assert [stage.round for stage in histories["b.1"][0]] == [1]
    assert [stage.round for stage in histories["b.1.2"][0]] == [1, 2]
    assert histories["b.1.2"][0][1].pieces[1] == Piece("deep", is_new=True)


def test_drawn_rows_are_twenty_each_with_the_same_chance(workplace: Path) -> None:
    file = write_rows(*(row(f"s{n}.1", f"s{n}", 1, "Name lakes.") for n in range(100)))
    counts = [0] * 100
    for seed in range(200):
        drawn = read_evolved(file, random.Random(seed)).drawn.items
        assert len(drawn) == 20
        for number in drawn:
            counts[number] += 1
    assert min(counts) > 15
    assert max(counts) < 70


@pytest.mark.parametrize(
    ("spoil", "needle"),
    [
        (lambda: shutil.rmtree(RUN), "no such folder"),
        (lambda: (RUN / "summary.json").unlink(), "no summary.json"),
        (lambda: (RUN / "evolved.jsonl").unlink(), "no evolved.jsonl"),
        (lambda: (RUN / "steps.json").write_text("[]"), "steps.json: is not what a run writes"),
        (lambda: (RUN / "steps.json").write_text("{"), "steps.json: is not valid JSON"),
        (lambda: (RUN / "evolved.jsonl").write_text("{"), "evolved.jsonl:1: is not valid JSON"),
        (lambda: (RUN / "failures.jsonl").write_text("{"), "failures.jsonl:1: is not valid JSON"),
        (lambda: (RUN / "scores.json").write_text("{}"), "scores.json: holds no scores"),
        (
            lambda: (RUN / "scores.json").write_bytes(b'{"rounds": "\xff"}'),
            "scores.json: cannot be",
        ),
        (lambda: (RUN / "steps.json").write_bytes(b"\xff"), "steps.json: cannot be read"),
        (lambda: (RUN / "steps.json").write_text('{"methods": []}'), "steps.json: is not what"),
        (lambda: (RUN / "run.json").write_text("{"), "run.json: is not valid JSON"),
        (lambda: (RUN / "run.json").write_text("{}"), "run.json: is not what a run writes"),
        (lambda: (RUN / "run.json").write_text('{"key": "a", "started": 1}'), "run.json: is not"),
        (lambda: (RUN / "config.yaml").write_text("a: ["), "config.yaml: is not valid YAML"),
        (lambda: (RUN / "config.yaml").write_text(""), "config.yaml: must be a mapping"),
        (
            lambda: (RUN / "config.yaml").write_text("seed: 1"),
            "config.yaml: name: is required",
        ),
        (lambda: (RUN / "summary.json").write_text("{}"), "summary.json: rows_in must be a number"),
        (lambda: (RUN / "summary.json").write_text("[]"), "summary.json: must be an object"),
        (lambda: (RUN / "evolved.jsonl").write_text("[]"), "evolved.jsonl:1: must be an object"),
        (lambda: (RUN / "evolved.jsonl").write_text("{}"), "evolved.jsonl:1: id is not what"),
        (lambda: (RUN / "evolved.jsonl").write_bytes(b"\xff"), "evolved.jsonl:1: cannot be read"),
        (lambda: (RUN / "failures.jsonl").write_text("{}"), "failures.jsonl: holds a row"),
    ],
)
def test_a_damaged_folder_is_one_line_and_nothing_is_written(
    spoil: Callable[[], object], needle: str, finish: WriteConfig
) -> None:
    finish(8, **NO_SEARCH)
    spoil()
    before = written()
    result = run_cli("report", str(RUN))
    assert result.code == 2, result.err
    assert needle in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert written() == before


def written() -> dict[Path, int]:
    """Return when each file was written, but for the lock."""
    files = (path for path in Path("runs").rglob("*") if path.is_file())
    return {path: path.stat().st_mtime_ns for path in files if path.name != "run.lock"}
