"""The journal of a run: what it holds after a kill, and after a resume."""

from pathlib import Path

from autoevol.experiments.tracking.events import JOURNAL, Journal, read_events


def test_a_torn_line_is_dropped_and_the_next_one_is_whole(tmp_path: Path) -> None:
    Journal(tmp_path).add("points", "failure_rate-0", {"step": 0})
    file = tmp_path / JOURNAL
    whole = file.read_text()
    file.write_text(whole + whole[:20])
    journal = Journal(tmp_path)
    journal.add("points", "failure_rate-1", {"step": 1})
    assert [event.key for event in read_events(tmp_path)] == ["failure_rate-0", "failure_rate-1"]


def test_an_event_that_says_the_same_keeps_its_time_and_its_place(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first, is_new = journal.add("points", "a", {"values": {"x": 1.0}})
    journal.add("end", "end", {"status": "KILLED"})
    resumed = Journal(tmp_path)
    assert is_new
    assert resumed.add("points", "a", {"values": {"x": 1.0}}) == (first, False)
    changed, is_new = resumed.add("end", "end", {"status": "FINISHED"})
    assert is_new
    assert read_events(tmp_path) == [first, changed]


def test_a_text_of_any_characters_is_kept(tmp_path: Path) -> None:
    body = {"texts": {"method.md": "하나\ud800\u2028zwei\n🦆"}}
    event, _ = Journal(tmp_path).add("candidate", "step-00-candidate-0", body)
    assert read_events(tmp_path) == [event]
