"""Seeds come from several data sets: quotas hold, every row is accounted for."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from autoevol.experiments.config.seed_builder import load_seeds_config
from autoevol.experiments.data.seed_builder import Account, build_seeds
from tests.conftest import REPOSITORY
from tests.support.command_line import run_cli


def write(name: str, rows: list[dict[str, Any]]) -> None:
    Path(name).write_text("\n".join(map(json.dumps, rows)))


def config(**keys: Any) -> Path:
    Path("seeds.yaml").write_text(yaml.safe_dump(keys, allow_unicode=True))
    return Path("seeds.yaml")


def read(name: str = "out.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]


def questions(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"question": f"Question {n}?", "answer": str(n), **more} for n in range(count)]


FIELDS = {"instruction": "question", "response": "answer"}


@pytest.fixture
def quiz(workplace: Path) -> dict[str, Any]:
    """Return a source with 30 rows on law, 20 on tax and 3 on sea."""
    sizes = {"law": 30, "tax": 20, "sea": 3}
    rows = [
        {"question": f"{subset} {n}?", "answer": f"{n}", "field": subset}
        for subset, size in sizes.items()
        for n in range(size)
    ]
    write("quiz.jsonl", rows)
    return {"path": "quiz.jsonl", "fields": FIELDS, "subset_column": "field", "quota": 2}


def test_each_subset_gives_its_quota_and_small_ones_all(quiz: dict[str, Any]) -> None:
    accounts = build_seeds(config(sources=[{**quiz, "whole_below": 5}]), Path("out.jsonl"))
    assert accounts == [Account("quiz", read=53, taken=7)]
    assert accounts[0].left == 46
    roots = Counter(row["root"] for row in read())
    assert roots == {"quiz/law": 2, "quiz/tax": 2, "quiz/sea": 3}


def test_without_a_minimum_small_subsets_have_the_quota_too(quiz: dict[str, Any]) -> None:
    build_seeds(config(sources=[quiz]), Path("out.jsonl"))
    assert {Counter(row["root"] for row in read())[f"quiz/{s}"] for s in ("law", "sea")} == {2}


def test_a_seed_has_what_a_run_needs(workplace: Path) -> None:
    write("a.jsonl", [{"question": "Why?", "context": "Here.", "answer": "So."}])
    fields = {**FIELDS, "input": "context"}
    build_seeds(
        config(sources=[{"path": "a.jsonl", "name": "my/set", "fields": fields}]), Path("out.jsonl")
    )
    assert read() == [
        {
            "id": "seed-000001",
            "instruction": "Why?",
            "input": "Here.",
            "response": "So.",
            "root": "my/set",
        }
    ]


def test_phrases_and_duplicates_are_left_out_and_counted(workplace: Path) -> None:
    texts = ["Which is wrong?", "a) b) c)?", "Why?", " why? ", "옳은 것은?", "Who (x)?", "Who x?"]
    write("a.jsonl", [{"instruction": text} for text in texts])
    write("b.jsonl", [{"instruction": "Why?"}, {"instruction": "When?"}])
    made = config(
        exclude=["옳은 것은?", "Who (x)?"],
        exclude_patterns=[r"(?i)^which\b", r"\ba\).*\bb\)"],
        sources=[{"path": "a.jsonl"}, {"path": "b.jsonl"}],
    )
    accounts = build_seeds(made, Path("out.jsonl"))
    assert accounts == [
        Account("a", read=7, excluded=4, duplicate=1, taken=2),
        Account("b", read=2, excluded=0, duplicate=1, taken=1),
    ]
    assert {row["instruction"] for row in read()} == {"Why?", "Who x?", "When?"}


def test_the_total_is_drawn_from_all_sources_alike(workplace: Path) -> None:
    write("a.jsonl", questions(1000))
    write("b.jsonl", [{"question": f"Other {n}?", "answer": ""} for n in range(100)])
    sources = [{"path": "a.jsonl", "quota": 100}, {"path": "b.jsonl", "quota": 100}]
    made = config(total=100, sources=[{**source, "fields": FIELDS} for source in sources])
    first, second = build_seeds(made, Path("out.jsonl"))
    assert first.taken + second.taken == 100
    assert 30 <= first.taken <= 70
    assert (first.read, first.left) == (1000, 1000 - first.taken)


def test_the_draw_depends_on_the_seed_and_on_nothing_else(workplace: Path) -> None:
    rows = questions(50)
    write("a.jsonl", rows)
    write("b.jsonl", [*reversed(rows)])
    drawn = {}
    for name, seed in (("a", 1), ("b", 1), ("a", 2)):
        out = Path(f"{name}{seed}.jsonl")
        source = {"path": f"{name}.jsonl", "name": "x", "fields": FIELDS, "quota": 10}
        build_seeds(config(seed=seed, sources=[source]), out)
        drawn[out.stem] = read(str(out))
    assert drawn["a1"] == drawn["b1"] != drawn["a2"]
    order = [row["instruction"] for row in drawn["a1"]]
    assert order != sorted(order)


def test_the_table_shows_every_source(quiz: dict[str, Any]) -> None:
    made = config(sources=[quiz])
    told = run_cli("seeds", str(made), "out.jsonl", expected=0).out
    assert "not drawn" in told
    assert [cell.strip() for cell in told.split("quiz")[1].split("│")[1:6]] == [
        *("53", "0", "0", "47", "6")
    ]


def test_what_was_built_is_what_a_run_takes(quiz: dict[str, Any], workplace: Path) -> None:
    build_seeds(config(sources=[quiz]), Path("out.jsonl"))
    tree = {
        "name": "t",
        "models": {"evolver": {"model": "scripted/world"}},
        "data": {"path": "out.jsonl"},
        "optimizer": {"name": "none"},
        "evolve": {"methods": ["weak"]},
    }
    Path("t.yaml").write_text(yaml.safe_dump(tree))
    assert "6 rows" in run_cli("run", "t.yaml", "--dry-run", expected=0).out


@pytest.mark.parametrize(
    ("keys", "needles"),
    [
        pytest.param({"sorces": []}, ["seeds.yaml: sorces", "'sources'"], id="misspelt"),
        pytest.param({"sources": None}, ["seeds.yaml: sources"], id="missing"),
        pytest.param(
            {"sources": [{"path": "a.jsonl", "quotta": 3}]},
            ["sources.0.quotta", "'quota'"],
            id="misspelt",
        ),
        pytest.param(
            {"sources": [{"path": "a.jsonl"}], "exclude_patterns": ["("]},
            ["exclude_patterns", "regular expression"],
            id="pattern",
        ),
        pytest.param(
            {"sources": [{"path": "gone.jsonl"}]}, ["sources.0.path", "gone.jsonl"], id="gone"
        ),
        pytest.param(
            {"sources": [{"path": "nobody/nothing"}]}, ["sources.0.path", "hub"], id="hub"
        ),
        pytest.param(
            {"sources": [{"path": "nobody/nothing", "subsets": "all"}]},
            ["sources.0.path", "hub"],
            id="hub's subsets",
        ),
        pytest.param(
            {"sources": [{"path": "a.jsonl", "subsets": ["x"]}]},
            ["sources.0.path", "subset_column"],
            id="subsets of a file",
        ),
        pytest.param(
            {"sources": [{"path": "a.jsonl", "subsets": ["x"], "subset_column": "y"}]},
            ["sources.0", "both"],
            id="two kinds of subset",
        ),
        pytest.param(
            {"sources": [{"path": "a.jsonl", "fields": {"response": "anwser"}}]},
            ["a.jsonl:1", "'anwser'"],
            id="column",
        ),
        pytest.param(
            {"sources": [{"path": "a.jsonl", "subset_column": "field"}]},
            ["a.jsonl:1", "field", "subset"],
            id="subset missing",
        ),
        pytest.param(
            {"sources": [{"path": "a.jsonl", "fields": {"instruction": "n"}}]},
            ["a.jsonl:1", "n must be a text", "int"],
            id="number",
        ),
        pytest.param(
            {"sources": [{"path": "a.jsonl"}], "exclude": ["Why"]}, ["no rows are left"], id="all"
        ),
    ],
)
def test_a_wrong_config_is_refused(
    workplace: Path, keys: dict[str, Any], needles: list[str]
) -> None:
    write("a.jsonl", [{"instruction": "Why?", "n": 7}])
    made = config(**keys)
    before = sorted(Path().rglob("*"))
    refused = run_cli("seeds", str(made), "out.jsonl", expected=2)
    assert all(needle in refused.err for needle in needles), refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(("name", "needle"), [("a.jsonl", "exists already"), ("a.csv", ".jsonl")])
def test_a_wrong_target_is_refused(workplace: Path, name: str, needle: str) -> None:
    write("a.jsonl", [{"instruction": "Why?"}])
    refused = run_cli("seeds", str(config(sources=[{"path": "a.jsonl"}])), name, expected=2)
    assert needle in refused.err


def test_the_config_in_the_docs_is_valid(workplace: Path) -> None:
    page = (REPOSITORY / "docs/data-tools.md").read_text("utf-8")
    Path("docs.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], "utf-8")
    assert [source.quota for source in load_seeds_config(Path("docs.yaml")).sources] == [10, 20]
