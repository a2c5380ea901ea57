"""A model of natural language inference as the witness of contradictions."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from autoevol.experiments.models.transports import scripted
from autoevol.experiments.scores.entailment import open_nli
from autoevol.program.errors import ConfigError
from tests.support.command_line import run_cli
from tests.support.tiny_models import NEEDS_TORCH, save_llama
from tests.support.verifying import SMALL, verifier

pytestmark = NEEDS_TORCH
NAMES = {0: "entailment", 1: "neutral", 2: "contradiction"}
PAIRS = [("name the lake", "name the river"), ("two", "a lake"), ("is it", "volga danube")]


@pytest.fixture
def nli(tmp_path: Path) -> Path:
    return _labelled(save_llama(tmp_path / "nli", classes=3), NAMES)


def _labelled(folder: Path, names: dict[int, str]) -> Path:
    file = folder / "config.json"
    config: dict[str, Any] = json.loads(file.read_text())
    config["id2label"] = {str(number): name for number, name in names.items()}
    config["label2id"] = {name: number for number, name in names.items()}
    file.write_text(json.dumps(config))
    return folder


def test_the_likeliest_label_decides(nli: Path) -> None:
    import torch

    model = open_nli(str(nli), "t")
    loaded = model.loaded

    async def relations(index: int) -> list[str]:
        own = type(model)(loaded, index)
        return list(await asyncio.gather(*(own.relation(*pair) for pair in PAIRS)))

    likeliest = []
    for pair in PAIRS:
        with torch.inference_mode():
            logits = loaded.model(**loaded.tokenizer(*pair, return_tensors="pt")).logits[0]
        likeliest.append(int(logits.argmax()))
    for index in NAMES:
        expected = ["contradiction" if own == index else "different" for own in likeliest]
        assert asyncio.run(relations(index)) == expected


def test_a_long_text_is_cut_and_no_crash(nli: Path) -> None:
    model = open_nli(str(nli), "t")
    assert asyncio.run(model.relation("a lake " * 500, "volga")) in ("contradiction", "different")


def test_a_model_without_such_a_label_is_refused(nli: Path) -> None:
    _labelled(nli, {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"})
    with pytest.raises(ConfigError, match="no label for a contradiction; its labels: LABEL_0"):
        open_nli(str(nli), "t: verify.nli")


def test_it_takes_the_exam_in_the_judges_place(
    nli: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems: list[str] = []

    def script(messages: Any, draw: int) -> str:
        systems.append(messages[0]["content"])
        return verifier(messages, draw)

    monkeypatch.setitem(scripted.SCRIPTS, "verifier", script)
    Path("queries.jsonl").write_text(json.dumps({"id": "q", "instruction": "Name fruits."}) + "\n")
    Path("constraints.txt").write_text("Use the word fig at least twice.\n")
    verify = {
        **SMALL,
        "proposals": 0,
        "grade_above": None,
        "nli": str(nli),
    }
    config = {
        "name": "verified",
        "models": {"evolver": {"model": "scripted/verifier"}},
        "data": {"path": "queries.jsonl"},
        "evolve": {"rounds": 0},
        "verify": verify,
    }
    Path("verify.yaml").write_text(yaml.safe_dump(config))
    shown = run_cli("verify", "verify.yaml", expected=0).out
    assert "The witness of contradictions" in shown
    assert not any(system.startswith("You compare two orders") for system in systems)
    exam = json.loads(Path("runs/verified/exam.json").read_text())
    assert exam["sound"] == exam["broken"] == 16
    verify["descriptions"] = 0
    Path("verify.yaml").write_text(yaml.safe_dump(config))
    assert "nli compares descriptions" in run_cli("verify", "verify.yaml", expected=2).err
    verify |= {"descriptions": 3, "nli": "no-such-folder-of-mine"}
    Path("verify.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "verify.nli" in run_cli("verify", "verify.yaml", expected=2).err
