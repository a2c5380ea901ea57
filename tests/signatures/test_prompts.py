"""Prompts are data: a change of a word is a change of the program, made on purpose."""

import contextlib
import hashlib
import io
import json
import re
from typing import Any, cast

import pytest
from dspy.propose.utils import get_dspy_source_code

from autoevol import signatures
from autoevol.program.evolution.evolver import Evolver
from autoevol.program.search.scoreboard import ScoredEvolver
from autoevol.signatures import (
    EvolveInstruction,
    Method,
    from_markdown,
    scoring,
    shipped_methods,
    to_markdown,
    verification,
    witness,
)
from autoevol.signatures.evolve import CLOSINGS

SNAPSHOT = {
    "AnalyzeRuns": "08e09079f3b3d0bd",
    "AnalyzeTrajectory": "17f4511b0af08750",
    "ChooseAnswer": "7d5709d06e6ac7a3",
    "CompareAnswers": "b0999c34fe505ad0",
    "CompareConstraints": "912d546f89fdaa98",
    "CompareInstructions": "e27d8a7f3f06fecf",
    "DescribeVerifier": "8fb8da7492f41c9e",
    "EvolveInput": "88c086cf08eb154d",
    "EvolveInstruction": "34328a3603a0242b",
    "EvolveInstructionStepwise": "6bc50eb3b3123b46",
    "JudgeAddedDemand": "b1208ce756babedb",
    "JudgeDefects": "8dca4b722b1762d1",
    "JudgeDemand": "672d0166d2ca7a50",
    "JudgeEquality": "1c5face3f96cbd34",
    "JudgeEvolution": "7ae80ec1229b986c",
    "JudgeSolvability": "f9937ce9b42533e9",
    "MergeMethods": "dc90d6c191417ab9",
    "MergeSteps": "713d92c2f0a5cd96",
    "OptimizeMethod": "c8041e445488937c",
    "OptimizeStep": "41478cec0044c088",
    "ProposeConstraints": "29f61b678a677dab",
    "RankChain": "307fb40c39bf8a39",
    "RateAnswer": "7c5a81d6925bd9f8",
    "RateComplexity": "bdf726d5df70e503",
    "RateDifficulty": "5a1e9f9ce4698899",
    "RespondToInstruction": "78afffaace8402d4",
    "ReviewMethod": "20fefcf20b079392",
    "RewriteSection": "ba3545b61e53585f",
    "RewriteWhole": "40a986fb99eb66bd",
    "ShortenMethod": "e442085e1131d6a3",
    "ShortenStep": "537226cf8c44f3e9",
    "SolveTask": "70f9bc37bba95cf0",
    "TagIntentions": "9f744beab95a3304",
    "TryTask": "ade5654f0d61a01a",
    "WorkTask": "d9dd6cd440436088",
    "WriteTests": "952ed298dbeec1c6",
    "WriteVerifier": "7ff7d8164643228b",
}


METHODS = {
    "breadth": "1a5bf8589206",
    "code-complexity": "3db1813c8d91",
    "code-constraints": "983f2367b315",
    "code-misdirection": "de7aa8ab9b91",
    "code-rare-requirement": "fb723f5dada1",
    "code-reasoning": "2bcf0e4bc6d6",
    "complicate": "c23a55d93f1d",
    "concretize": "18e30fc195b1",
    "constraints": "715ce437d520",
    "deepen": "2e805ac366ab",
    "e0": "ed419954fe54",
    "e0-direct": "5bca3e99b6b3",
    "e0-shown": "97443e626363",
    "easier": "4fa6afd5d453",
    "easier-topic": "c39cfd052239",
    "fresh-start": "e572ced01f54",
    "reasoning": "c7b29bf27faa",
    "slightly-harder": "2426bc9d471e",
    "switch-topic": "836e82d6b868",
    "weak": "4fa06d5d1939",
}


SHOWN = {
    "COMPARED": "35e27c36ebc49c5f",
    "COMPARED_ANSWERS": "82ccbae1ba63b444",
    "COMPARED_INSTRUCTIONS": "c6133cddc89fe5d6",
    "GRADED": "4afc6fdd24d2463f",
    "RANKED": "61a67bbcc4087242",
    "RATED_LEVELS": "8961f0e41857f5ca",
    "RATED_SCORES": "b256e08582365296",
    "SOLVED": "eda51f5331e5f367",
    "TESTED": "3076a75875dedf64",
    "TAGGED": "f3a42c9124da4d74",
    "TRIED": "017b4a883bdbdca5",
    "WORKED": "cd15b6bd8eaa7363",
    "WRITTEN": "96f13bc61b601977",
}


def prompt_of(name: str) -> str:
    signature = getattr(signatures, name)
    fields = {k: f.json_schema_extra["desc"] for k, f in signature.fields.items()}
    return f"{signature.instructions}\n{fields}"


@pytest.mark.parametrize("name", SNAPSHOT)
def test_the_prompt_is_the_one_that_was_tried(name: str) -> None:
    assert hashlib.sha256(prompt_of(name).encode()).hexdigest()[:16] == SNAPSHOT[name]


def _examples(name: str) -> Any:
    return next(getattr(m, name) for m in (scoring, witness, verification) if hasattr(m, name))


@pytest.mark.parametrize("name", SHOWN)
def test_the_examples_of_a_question_are_the_ones_that_were_tried(name: str) -> None:
    examples = json.dumps(_examples(name))
    assert hashlib.sha256(examples.encode()).hexdigest()[:16] == SHOWN[name]


def test_every_signature_has_a_snapshot() -> None:
    declared = {n for n in signatures.__all__ if re.match("[A-Z]", n)} - {"Method"}
    assert declared == set(SNAPSHOT)


def test_the_methods_are_the_ones_that_were_tried() -> None:
    assert {name: method.id for name, method in shipped_methods().items()} == METHODS


def test_the_closing_lines_are_the_ones_that_were_tried() -> None:
    assert CLOSINGS == {
        "breadth": "Write another instruction in its place; do not answer it.",
        "down": "Make this instruction easier; do not answer it.",
    }


def test_e0_has_the_papers_four_steps_and_its_word_budget() -> None:
    e0 = shipped_methods()["e0"]
    assert [f"Step {n}:" in e0.instructions for n in range(1, 5)] == [True] * 4
    assert "10 to 20 words" in e0.instructions
    assert e0.thinking == "steps"
    assert list(e0.signature.output_fields) == ["thinking", "evolved_instruction"]


def test_the_shown_form_of_e0_is_the_direct_form_with_demonstrations() -> None:
    methods = shipped_methods()
    assert methods["e0-shown"].instructions == EvolveInstruction.instructions
    assert methods["e0-direct"].instructions == EvolveInstruction.instructions
    assert len(methods["e0-shown"].demonstrations) >= 8
    assert methods["e0-direct"].demonstrations == ()


@pytest.mark.parametrize("name", shipped_methods())
def test_a_method_survives_the_way_to_disk_and_back(name: str) -> None:
    method = shipped_methods()[name]
    back = from_markdown(to_markdown(method), name="other")
    assert back == method
    assert back.id == method.id


def test_a_plain_text_file_is_a_method() -> None:
    method = from_markdown("Make it harder.\n", name="mine")
    assert method == Method("mine", "Make it harder.")


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        pytest.param("---\nname: x\n---\n \n", "no instructions", id="empty"),
        pytest.param("---\nname: x\n", "front matter", id="unclosed"),
        pytest.param("---\n- a\n---\ntext", "mapping", id="list"),
        pytest.param("---\nthinking: loud\n---\ntext", "thinking", id="mode"),
        pytest.param("---\ndemonstrations: [a]\n---\ntext", "demonstrations", id="pairs"),
    ],
)
def test_a_malformed_method_is_refused(text: str, needle: str) -> None:
    with pytest.raises(ValueError, match=needle):
        from_markdown(text, name="x")


def test_equal_content_has_an_equal_id_whatever_its_name() -> None:
    assert Method("a", "Do.").id == Method("b", "Do.").id
    assert Method("a", "Do.").id != Method("a", "Do.", thinking="steps").id
    assert Method("a", "Do.").id != Method("a", "Do.", (("x", "y"),)).id


def test_the_source_that_miprov2_shows_to_a_model_is_the_one_that_was_tried() -> None:
    """DSPy's proposer reads the program's classes; another text would be another prompt."""
    with contextlib.redirect_stdout(io.StringIO()):  # DSPy prints what it finds
        student = ScoredEvolver(Evolver(shipped_methods()["e0"]), cast(Any, None))
        source = get_dspy_source_code(student)
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == "62faa61f949a74ff"
