"""The check of the house rules finds what it is for."""

from pathlib import Path

import pytest

from tests.support.house import MOST_METHODS, MOST_MODULES, crowded, main, offences_in


@pytest.mark.parametrize(
    ("text", "offence"),
    [
        pytest.param("told = 1\n", "variable 'told'", id="assignment"),
        pytest.param("def f(given: int) -> None: ...\n", "variable 'given'", id="parameter"),
        pytest.param("x = [each for each in ()]\n", "variable 'each'", id="comprehension"),
        pytest.param("try: ...\nexcept OSError as found: ...\n", "variable 'found'", id="except"),
        pytest.param(
            "class A:\n" + "".join(f"    def m{i}(self): ...\n" for i in range(MOST_METHODS + 1)),
            "A has 11 methods",
            id="methods",
        ),
        pytest.param("def f():\n" + "    x = 1\n" * 41, "f has 41 lines", id="long function"),
        pytest.param("x = 1\n" * 401, "401 lines", id="long file"),
    ],
)
def test_an_offence_is_found(text: str, offence: str, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(text)
    assert [line for line in offences_in(file) if offence in line]
    assert main([str(file)]) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("rows = [row for row in ()]\n", id="nouns"),
        pytest.param("class Evolver:\n    given = 1\n", id="a class that a model reads"),
        pytest.param('def f():\n    """' + "word\n" * 50 + '"""\n', id="a long docstring"),
    ],
)
def test_what_is_allowed_is_no_offence(text: str, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(text)
    assert offences_in(file) == []


def test_a_folder_with_one_module_too_many_is_found() -> None:
    files = [Path("room") / f"m{number}.py" for number in range(MOST_MODULES)]
    assert crowded([*files, Path("room/__init__.py")]) == []
    assert crowded([*files, Path("room/last.py")]) == ["room: 15 modules, 14 at most"]
