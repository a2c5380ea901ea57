"""Operations named in thinking texts."""

import pytest

from autoevol.metrics.quality.keywords import count_operations, operations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "1. Add a new constraint.\n2. Require proofs!",
            ["add constraint", "require proofs"],
            id="list",
        ),
        pytest.param("Adding more variables", ["adding variables"], id="ing"),
        pytest.param("조건을 추가하고, 시간을 더 늘린다", ["조건 추가"], id="Korean"),
        pytest.param(
            "조건을 추가한다. 단위를 바꾼다. 단위를 바꾸어 쓴다.",
            ["조건 추가", "단위 바꾸"],
            id="forms",
        ),
        pytest.param("```\nadd numbers\n```", [], id="code"),
        pytest.param("add the", [], id="no object"),
        pytest.param("Добавить условие", [], id="no table"),
        pytest.param("", [], id="empty"),
    ],
)
def test_operations(text: str, expected: list[str]) -> None:
    assert operations(text) == expected


def test_spellings_count_as_one_and_a_text_counts_once() -> None:
    texts = ["Add constraints, add constraint.", "Adding a constraint", "It adds one constraint"]
    counts = count_operations([*texts, "Add constraint. Increase depth.", "조건을 추가하라"])
    assert counts == {"add constraint": 4, "increase depth": 1, "조건 추가": 1}
    assert count_operations([]) == {}
