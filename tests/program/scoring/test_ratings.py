"""How a judge's replies are read, and which of them are unreadable."""

import pytest

from autoevol.program.scoring.ratings import level_number, read_chain, read_grade, read_tags


@pytest.mark.parametrize(
    ("reply", "level"),
    [
        ("very easy", 1),
        ("Medium.", 3),
        ("**very hard**", 5),
        ("It is hard", None),
        ("easy or medium", None),
        ("", None),
    ],
)
def test_a_level_is_one_of_five_and_nothing_else(reply: str, level: float | None) -> None:
    assert level_number(reply) == level


@pytest.mark.parametrize(
    ("reply", "grade"),
    [("7", 7), ("10/10", 10), ("Grade: 3.", 3), ("11", None), ("0", None), ("7 or 8", None)],
)
def test_a_grade_lies_in_one_to_ten(reply: str, grade: float | None) -> None:
    assert read_grade(reply) == grade


@pytest.mark.parametrize(
    ("reply", "scores"),
    [
        ("1: 20\n2: 35\n3: 90", [20, 35, 90]),
        ("[1]: 20\n[2] - 35\n3. 90/100", [20, 35, 90]),
        ("Version 1: 20.\nversion 2: 35\n3: **90**", [20, 35, 90]),
        ("3: 90\n1: 20", [20, None, 90]),
        ("1: 20\n1: 30\n2: 40", [None, 40, None]),
        ("1: 20\n2: 135\n4: 7", [20, None, None]),
        ("They are all the same.", [None, None, None]),
    ],
)
def test_a_chain_gives_each_number_its_only_score(reply: str, scores: list[float | None]) -> None:
    assert read_chain(reply, 3) == scores


@pytest.mark.parametrize(
    ("reply", "tags"),
    [
        ("arithmetic, unit conversion", ("arithmetic", "unit conversion")),
        ("- Arithmetic\n- arithmetic\n- Rhyme.", ("arithmetic", "rhyme")),
        ("1. sorting; 2. tables", ("sorting", "tables")),
        ("", None),
        ("The user wants to know how long the train needs for it", None),
    ],
)
def test_tags_are_a_list_and_no_sentence(reply: str, tags: tuple[str, ...] | None) -> None:
    assert read_tags(reply) == tags
