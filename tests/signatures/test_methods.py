"""The library of methods: front matter, parameters, languages, and what each method must have."""

from pathlib import Path

import pytest

from autoevol import signatures
from autoevol.metrics import Case, broken, compose
from autoevol.program.adapter import PlainAdapter
from autoevol.program.evolution.evolver import Evolver
from autoevol.signatures import Method, from_markdown, shipped_methods, to_markdown
from autoevol.signatures.parameters import LANGUAGES, language_name
from tests.support.command_line import run_cli

LIBRARY = Path(signatures.__file__).parent / "library"

KOEVOL = ["breadth", "complicate", "concretize", "constraints", "deepen", "reasoning"]

WRITTEN = """---
name: mine
kind: down
domain: code
system: ours
digit: "7"
parameters: {language: the language of the given instruction, words: 10 to 20, tone: calm}
demonstrations:
- {instruction: Say hello., evolved_instruction: Say hello twice., language: en}
- {instruction: 인사해 주세요., evolved_instruction: 두 번 인사해 주세요., language: Korean}
- {instruction: "1 + 1", evolved_instruction: "1 + 1 + 1"}
---
In {words} words, in {language}, {tone}: f"{x}" and {{words}} stay as {they} are.
"""


@pytest.fixture
def mine() -> Method:
    return from_markdown(WRITTEN, name="file")


def test_front_matter_describes_the_method(mine: Method) -> None:
    assert (mine.name, mine.kind, mine.domain, mine.system, mine.digit) == (
        *("mine", "down", "code", "ours", "7"),
    )
    assert mine.parameters == {
        "language": "the language of the given instruction",
        "words": "10 to 20",
        "tone": "calm",
    }


def test_a_plain_text_has_no_description_and_no_parameters() -> None:
    plain = from_markdown("Make {language} harder.", name="plain")
    assert (plain.domain, plain.system, plain.digit, plain.parameters) == ("general", "", "", {})
    assert plain.instructions == "Make {language} harder."


def test_the_text_holds_the_defaults_and_other_braces_stay(mine: Method) -> None:
    assert mine.instructions == (
        "In 10 to 20 words, in the language of the given instruction, calm: "
        'f"{x}" and {10 to 20} stay as {they} are.'
    )


def test_given_values_take_the_place_of_defaults_one_call_after_another(mine: Method) -> None:
    changed = mine.with_parameters(language="ko", words=15).with_parameters(tone="loud")
    assert changed.instructions.startswith("In 15 words, in Korean, loud:")
    assert changed.name == "mine"
    assert changed.id != mine.id


def test_the_default_given_as_a_value_gives_the_method_back(mine: Method) -> None:
    korean = mine.with_parameters(language="Korean")
    assert korean.with_parameters(language="the language of the given instruction") == mine
    assert mine.with_parameters() == mine


def test_a_language_leaves_the_demonstrations_in_it_and_those_in_none(mine: Method) -> None:
    assert len(mine.demonstrations) == 3
    shown = [evolved for _, evolved in mine.with_parameters(language="ko").demonstrations]
    assert shown == ["두 번 인사해 주세요.", "1 + 1 + 1"]
    assert len(mine.with_parameters(language="fr").demonstrations) == 1


@pytest.mark.parametrize(
    ("name", "value", "needle"),
    [
        pytest.param(
            "tempo", "9", "no parameter 'tempo'; there is language, words, tone", id="none"
        ),
        pytest.param("language", "Elvish", "unknown language 'Elvish'.*ko Korean", id="language"),
        pytest.param("words", "many", "words must be", id="words"),
        pytest.param("words", 0, "words must be", id="no words"),
        pytest.param("words", "20 to 10", "words must be", id="range"),
    ],
)
def test_a_wrong_parameter_is_refused(mine: Method, name: str, value: object, needle: str) -> None:
    with pytest.raises(ValueError, match=needle):
        mine.with_parameters(**{name: value})


@pytest.mark.parametrize("value", ["0", "two", "1.5", -1, True])
def test_constraints_are_counted(value: object) -> None:
    with pytest.raises(ValueError, match="whole number from 1"):
        shipped_methods()["constraints"].with_parameters(constraints=value)


def test_a_method_without_parameters_takes_none() -> None:
    weak = shipped_methods()["weak"]
    assert weak.with_parameters() is weak
    with pytest.raises(ValueError, match="there is none"):
        weak.with_parameters(words=5)


@pytest.mark.parametrize(
    ("given", "text"), [(15, "15"), ("15", "15"), ("5-8", "5 to 8"), ("5 to 8", "5 to 8")]
)
def test_words_are_a_number_or_a_range(mine: Method, given: object, text: str) -> None:
    assert mine.with_parameters(words=given).instructions.startswith(f"In {text} words")


@pytest.mark.parametrize(
    ("given", "name"),
    [("ko", "Korean"), ("KO", "Korean"), ("korean", "Korean"), ("zh", "Chinese"), ("fr", "French")],
)
def test_a_language_is_a_name_or_a_code(given: str, name: str) -> None:
    assert language_name(given) == name


def test_every_language_is_known_by_both() -> None:
    for code, name in LANGUAGES.items():
        assert language_name(code) == language_name(name) == name


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        pytest.param("---\nparameters: [a]\n---\n{a}", "mapping", id="list"),
        pytest.param("---\nparameters: {words: 5}\n---\ntext", "{words} does not", id="unused"),
        pytest.param("---\ndomain: law\n---\ntext", "domain must be", id="domain"),
        pytest.param(
            "---\ndemonstrations: [{instruction: a, evolved_instruction: b, tone: x}]\n---\nt",
            "'tone' is no parameter",
            id="mark",
        ),
        pytest.param(
            "---\ndemonstrations: [{instruction: a, evolved_instruction: b, language: x}]\n---\nt",
            "unknown language",
            id="language",
        ),
    ],
)
def test_malformed_front_matter_is_refused(text: str, needle: str) -> None:
    with pytest.raises(ValueError, match=needle):
        from_markdown(text, name="x")


@pytest.mark.parametrize("name", [*shipped_methods(), "mine"])
def test_markdown_keeps_everything_but_the_placeholders(name: str, mine: Method) -> None:
    method = {**shipped_methods(), "mine": mine}[name]
    if "language" in method.parameters:
        method = method.with_parameters(language="ko")
    back = from_markdown(to_markdown(method), name="other")
    assert back == method
    assert back.id == method.id
    assert back.parameters == {}


def test_the_older_methods_kept_their_ids() -> None:
    methods = shipped_methods()
    assert {name: methods[name].id for name in ("e0", "e0-shown", "weak", "e0-direct")} == {
        "e0": "ed419954fe54",
        "e0-shown": "97443e626363",
        "weak": "4fa06d5d1939",
        "e0-direct": "5bca3e99b6b3",
    }


def test_koevols_digits_stand_for_six_methods() -> None:
    digits = {m.digit: m.name for m in shipped_methods().values() if m.digit}
    assert [digits[str(n)] for n in range(6)] == KOEVOL
    assert len(digits) == 6


def test_every_file_is_a_method_of_its_own_name_in_its_systems_folder() -> None:
    files = sorted(LIBRARY.rglob("*.md"))
    methods = shipped_methods()
    assert len(methods) == len(files) + 2
    for path in files:
        folder = path.parent.name if path.parent != LIBRARY else ""
        assert methods[path.stem].system == folder


@pytest.mark.parametrize("name", [n for n, m in shipped_methods().items() if m.system])
def test_an_operator_takes_a_language_and_fills_all_its_placeholders(name: str) -> None:
    method = shipped_methods()[name].with_parameters(language="ko")
    assert "Korean" in method.instructions
    assert not any(f"{{{known}}}" in method.instructions for known in method.parameters)
    assert method.thinking == "none"
    assert method.kind in ("depth", "breadth", "down")
    assert len(method.demonstrations) <= 4


@pytest.mark.parametrize(
    ("name", "closing"),
    [
        ("constraints", "Make this instruction harder; do not answer it."),
        ("breadth", "Write another instruction in its place; do not answer it."),
        ("easier", "Make this instruction easier; do not answer it."),
    ],
)
def test_the_closing_line_asks_for_what_the_kind_of_method_does(name: str, closing: str) -> None:
    method = shipped_methods()[name]
    turns = PlainAdapter().format(method.signature, [], {"instruction": "Why?"})
    assert turns[0]["content"] == method.instructions
    assert turns[-1]["content"] == f"Instruction:\nWhy?\n\n{closing}"


@pytest.mark.parametrize("name", ["breadth", "code-constraints", "e0"])
def test_a_program_knows_its_method(name: str) -> None:
    method = shipped_methods()[name]
    assert Evolver(method).method == method
    assert Evolver(shipped_methods()["weak"]).with_method(method).method == method


def test_demonstrations_pass_the_rules_of_their_kind() -> None:
    rules = compose(["strict"], "evolve")
    for method in shipped_methods().values():
        for before, after in method.demonstrations:
            case = Case(before, after, method=method.instructions, method_kind=method.kind)
            assert (method.name, broken(rules, case)) == (method.name, ())


def test_a_demonstration_of_another_value_is_left_out() -> None:
    constraints = shipped_methods()["constraints"]
    assert len(constraints.demonstrations) == 4
    assert len(constraints.with_parameters(constraints=1).demonstrations) == 4
    assert constraints.with_parameters(constraints=3).demonstrations == ()
    assert len(constraints.with_parameters(language="ko", words=30).demonstrations) == 2


def test_the_list_says_in_80_columns_what_each_method_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_cli("methods", "list", expected=0).out.splitlines()
    row = next(line for line in lines if "code-constraints" in line)
    assert "Adds requirements" in row
    assert "wizardcoder" in row
    assert not any("…" in line for line in lines), "nothing is cut"
    assert all(method.about for method in shipped_methods().values())


def test_what_a_method_does_is_read_written_and_lost_with_its_text() -> None:
    method = from_markdown("---\nabout: Adds a fish\n---\nAdd a fish.", name="fish")
    assert method.about == "Adds a fish"
    assert "about: Adds a fish" in to_markdown(method)
    assert method == from_markdown("Add a fish.", name="fish"), "no part of its identity"
    assert method.with_instructions("Add a bird.", name="bird").about == ""


def test_show_prints_the_method_with_its_parameters_set() -> None:
    shown = run_cli("methods", "show", "constraints", "--set", "language=ko", expected=0).out
    assert shown.rstrip("\n") + "\n" == to_markdown(
        shipped_methods()["constraints"].with_parameters(language="ko")
    )


@pytest.mark.parametrize(
    ("arguments", "needle"),
    [
        pytest.param(["constraint"], "did you mean constraints?", id="near"),
        pytest.param(["zzzz"], "`autoevol methods list` shows", id="far"),
        pytest.param(["weak", "--set", "words=5"], "there is none", id="parameter"),
        pytest.param(["deepen", "--set", "words"], "NAME=VALUE", id="assignment"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], needle: str) -> None:
    result = run_cli("methods", "show", *arguments, expected=2)
    assert needle in result.err
    assert len(result.err.strip().splitlines()) == 1
