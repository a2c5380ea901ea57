"""The names of a matrix's cells: readable, safe, unique, the same for the same values."""

from typing import Any

import pytest

from autoevol.experiments.matrix.names import concealed, names_of


@pytest.mark.parametrize(
    ("varied", "names"),
    [
        pytest.param(
            {
                "models.evolver.model": ["local/qwen2.5-coder-0.5b-instruct", "openai/gpt-4o"],
                "optimizer.name": ["none", "auto_evol"],
            },
            [
                "qwen2.5-coder-0.5b-instruct.none",
                "qwen2.5-coder-0.5b-instruct.auto_evol",
                "gpt-4o.none",
                "gpt-4o.auto_evol",
            ],
            id="the last part of a model's name",
        ),
        pytest.param(
            {"evolve.methods": [["e0"], ["constraints", "deepen"], [{"name": "e0", "words": 5}]]},
            ["e0", "constraints+deepen", "e0-5"],
            id="methods joined",
        ),
        pytest.param(
            {"seed": [1, 2], "evolve.respond": [True], "data.limit": [None, 5]},
            [
                "seed-1.respond-true.limit-null",
                "seed-1.respond-true.limit-5",
                "seed-2.respond-true.limit-null",
                "seed-2.respond-true.limit-5",
            ],
            id="what has no letters gets its key",
        ),
        pytest.param(
            {"models.evolver.model": ["azure/gpt-4o", "openai/GPT-4o", "x/y"]},
            ["azure-gpt-4o", "openai-GPT-4o", "y"],
            id="the same last part",
        ),
        pytest.param({"data.path": ["a b/?.jsonl", "한국어/씨앗"]}, ["jsonl", "씨앗"], id="signs"),
    ],
)
def test_a_cell_is_named_by_its_values(varied: dict[str, Any], names: list[str]) -> None:
    assert names_of(varied) == names


@pytest.mark.parametrize(
    "varied",
    [
        pytest.param({"a": ["x.y", "x"], "b": ["z", "y.z"]}, id="points"),
        pytest.param({"a": ["Model", "model"]}, id="case"),
        pytest.param({"a": ["a b", "a?b", "a/b", "b"]}, id="signs"),
        pytest.param({"a": [["x"], "x"]}, id="a list of one"),
        pytest.param({"a": ["", "..", "//", "?"]}, id="nothing readable"),
        pytest.param({"a": ["x" * 300, "x" * 299 + "y"], "b": ["한" * 100, "b"]}, id="long"),
        pytest.param({"data.path": ["cells.json", "matrix.json"]}, id="reserved"),
    ],
)
def test_names_are_unique_and_safe(varied: dict[str, Any]) -> None:
    names = names_of(varied)
    assert len({name.casefold() for name in names}) == len(names)
    assert not {"cells.json", "matrix.json", "run.lock"} & {*names}
    for name in names:
        assert len(name.encode()) <= 210
        assert "/" not in name
        assert name[0] not in ".-"


def test_a_name_does_not_change_with_the_values_beside_it() -> None:
    before = names_of({"seed": [1], "optimizer.name": ["none"]})
    after = names_of({"seed": [3, 1], "optimizer.name": ["paper", "none"]})
    assert before == ["seed-1.none"]
    assert before[0] in after


@pytest.mark.parametrize("key", ["models.evolver.api_base", "models.evolver.apikey", "x.params"])
def test_what_may_be_a_secret_is_in_no_name(key: str) -> None:
    first, second = names_of({key: ["sk-123", {"password": "sk-456"}]})
    assert "sk" not in first + second
    assert first != second
    assert "sk" not in names_of({"models.evolver": [{"model": "m", "api_key": "sk-1"}]})[0]


def test_what_may_be_a_secret_is_in_no_figure() -> None:
    name = names_of({"models.evolver.api_base": ["http://me:sk-1@host"]})[0]
    assert concealed("models.evolver.api_base", "http://me:sk-1@host") == name
    whole = {"model": "m", "params": {"key": "sk-1"}, "api_base": None}
    shown = concealed("models.evolver", [whole])[0]
    assert "sk-1" not in str(shown)
    assert (shown["model"], shown["api_base"]) == ("m", None)
    assert concealed("seed", 3) == 3
