"""A judge's exam on rows that people labelled, instead of the items that ship."""

from collections.abc import Iterator, Mapping, Sequence

from autoevol.experiments.judging.labelled import LabelledRow
from autoevol.program.witnesses.exam import Exam, Item, Topic, exam_of

TOPIC_OF: Mapping[str, Topic] = {
    "unchanged": "demand",
    "easier": "demand",
    "contradiction_or_unsolvable": "solvable",
}
"""What the judge is asked about, by the kind of failure that is one."""

_TOPICS: tuple[Topic, ...] = ("demand", "solvable")


def own_exam(rows: Sequence[LabelledRow]) -> Exam:
    """Return the exam that labelled rows make.

    A good row is sound in every question; only one that was to be harder than its seed is asked
    whether it is. A bad one is broken in those that its kinds answer; one without such a kind is in
    none, since nobody knows which question it would be about.

    Args:
        rows: Labelled rows.
    """
    return exam_of([item for row in rows for item in _items(row)], needs_broken=True)


def exam_line(rows: Sequence[LabelledRow], paper: Exam) -> str:
    """Return in a line how many rows each question has, and how many have none."""
    good = sum(not row.failed for row in rows)
    broken = {topic: sum(not i.is_sound for i in paper.about([topic])) for topic in _TOPICS}
    left_out = sum(not any(True for _ in _items(row)) for row in rows)
    return (
        f"{good} good rows; bad ones: {broken['demand']} that add no demand, "
        f"{broken['solvable']} that nobody can do; {left_out} of other kinds, or of none, left out"
    )


def _items(row: LabelledRow) -> Iterator[Item]:
    task = row.case.task
    # Where there is no rewrite, or nothing to compare it with, a judge is not asked either.
    if not task or not row.case.source:
        return
    topics = {TOPIC_OF[kind] for kind in row.kinds if kind in TOPIC_OF} if row.failed else _TOPICS
    for topic in _TOPICS:
        # A new task, or an easier one, need not demand more than its seed.
        is_about = topic != "demand" or row.case.method_kind == "depth"
        if topic in topics and is_about:
            yield Item(topic, row.lang, row.case.source_task, task, is_sound=not row.failed)
