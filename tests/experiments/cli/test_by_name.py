"""Shipped configs by name, on one's own data and model, in any folder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from autoevol.experiments.config.shipped import CONFIGS, shipped_names
from tests.support.command_line import run_cli, summary_of

OWN = ("--data", "own.json", "--model", "scripted/world")


@pytest.fixture
def own(workplace: Path) -> Path:
    """Return a file of 40 rows that no shipped config knows."""
    rows = [{"instruction": f"Name {n} trees.", "output": f"Oak {n}."} for n in range(40)]
    (workplace / "own.json").write_text(json.dumps(rows))
    return workplace


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_config_takes_ones_own_data_and_model(name: str, own: Path) -> None:
    planned = run_cli("run", name, *OWN, "--dry-run", expected=0).out
    assert "own.json: 40 rows in Alpaca form" in planned
    assert f"{name} · 40 rows" in planned
    assert not (own / "runs").exists()


def test_a_search_on_forty_rows_needs_no_arithmetic(own: Path) -> None:
    shown = run_cli("run", "quickstart", *OWN, expected=0).out
    assert "Recorded on 2026-11-28, not in this run" in " ".join(shown.split())
    stored = yaml.safe_load(Path("runs/quickstart/config.yaml").read_text())
    assert (stored["data"]["dev_size"], stored["data"]["heldout_size"]) == (13, 13)
    assert summary_of(Path("runs/quickstart"))["rows_in"] == 40


def test_a_search_whose_sizes_follow_the_rows_goes_on_and_is_found_finished(own: Path) -> None:
    run_cli("run", "quickstart", *OWN, "--set", "budget.calls=60", expected=3)

    run_cli("run", "quickstart", *OWN, expected=0)

    calls = summary_of(Path("runs/quickstart"))["calls"]
    assert calls > 60
    run_cli("run", "quickstart", *OWN, expected=0)
    assert summary_of(Path("runs/quickstart"))["calls"] == calls
    rows = json.loads((own / "own.json").read_text())
    (own / "own.json").write_text(json.dumps([*rows, *({"instruction": f"{n}?"} for n in "abc")]))
    changed = run_cli("run", "quickstart", *OWN, expected=2)
    assert "another content of its data" in " ".join(changed.err.split())


def test_the_shipped_seeds_are_found_from_any_folder(workplace: Path) -> None:
    run_cli("run", "wizardcoder", "--model", "scripted/world", "--limit", "4", expected=0)
    folder = Path("runs/wizardcoder-limit-4")
    assert summary_of(folder)["rows_in"] == 4
    run_cli("export", str(folder), "--format", "messages", "--with-seeds", expected=0)


def test_a_name_that_is_none_is_refused_with_the_nearest(workplace: Path) -> None:
    assert "did you mean koevol?" in run_cli("run", "koevoll", expected=2).err
    assert "shipped configs are" in run_cli("run", "qqq", expected=2).err


@pytest.mark.parametrize(
    ("sections", "searches"),
    [
        ({"optimizer": None, "evolve": {"methods": ["weak"]}}, False),
        ({"optimizer": None, "evolve": {"schedule": ["weak"]}}, False),
        ({"optimizer": None, "evolve": {"rounds": 0}}, False),
        ({"optimizer": None, "evolve": None}, True),
        ({"optimizer": {"steps": 2}, "evolve": {"methods": ["weak"]}}, True),
        ({"optimizer": {"name": "none"}, "evolve": None}, False),
    ],
)
def test_named_methods_are_applied_unless_an_optimizer_is_named(
    sections: dict[str, object], searches: bool, write_config: Callable[..., Path]
) -> None:
    planned = run_cli("run", str(write_config(40, **sections)), "--dry-run", expected=0).out
    assert ("train" in planned) is searches
    answers_alone = sections["evolve"] == {"rounds": 0}
    assert ("no search:" in planned) is (not searches and not answers_alone)


def test_other_data_is_read_whole_though_the_config_filters_its_own(own: Path) -> None:
    run_cli("run", "koevol", *OWN, expected=0)
    assert summary_of(Path("runs/koevol"))["rows_in"] == 40


@pytest.mark.parametrize("name", shipped_names())
def test_a_server_of_ones_own_serves_all_roles_by_its_address(name: str, own: Path) -> None:
    models = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())["models"]
    # A role that names a model in the file has an address of its own.
    named = [role for role in models if "model" in models[role] and role != "solver"]
    sets = [f"models.{role}.api_base=http://127.0.0.1:9/v1" for role in named]
    overrides = [word for text in sets for word in ("--set", text)]
    command = ("run", name, "--data", "own.json", "--model", "hosted_vllm/m", "--dry-run")
    assert "hosted" in run_cli(*command, *overrides, expected=0).out
