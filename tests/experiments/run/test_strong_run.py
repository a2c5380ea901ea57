"""The recorded search of a strong model, replayed: adapters, F, the race and the report."""

import json
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.support.command_line import rows_of, run_cli, summary_of

RECORD = Path("data/recorded/strong-run")


@pytest.fixture
def record(workplace: Path) -> Path:
    """Return the record's folder, as its config names it from the working folder."""
    (workplace / "data").symlink_to(REPOSITORY / "data")
    return workplace / RECORD


def test_the_record_is_replayed_to_its_end(record: Path) -> None:
    run_cli("run", str(RECORD / "config.yaml"), "--out", "runs/strong", "--yes", expected=0)

    folder = Path("runs/strong")
    summary = summary_of(folder)
    recorded = rows_of(record / "calls.jsonl")
    assert summary["calls"] == len(recorded)
    assert summary["rounds"][0]["entered"] == 24 == len(rows_of(record / "seeds.jsonl"))
    assert (folder / "report.html").is_file()

    (step,) = json.loads((folder / "steps.json").read_text("utf-8"))["steps"]
    measured = [proposal for proposal in step["proposals"] if proposal["measured"]]
    assert {proposal["operator"] for proposal in step["proposals"]} == {"rewrite"}
    assert len(measured) >= 4
    assert all(proposal["measured"]["rate"]["scored"] == 16 for proposal in measured)


def test_a_bold_proposal_changes_more_than_a_sentence(record: Path) -> None:
    replies = [
        call["reply"]
        for call in rows_of(record / "calls.jsonl")
        if call["messages"][0]["content"].startswith("You improve a method")
    ]
    e0 = next(
        call["messages"][1]["content"]
        for call in rows_of(record / "calls.jsonl")
        if call["messages"][0]["content"].startswith("You review a method")
    )
    assert len(replies) == 5
    for reply in replies:
        new = [line for line in reply.splitlines() if line.strip() and line not in e0]
        assert sum(len(line.split()) for line in new) > 80
