"""The notebook in docs/ runs from its first cell to its last."""

import ast
import asyncio
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

NOTEBOOK = json.loads((REPOSITORY / "docs" / "in-python.ipynb").read_text("utf-8"))


async def run_cells() -> dict[str, Any]:
    """Run all cells as a notebook does: in one namespace, inside a running event loop."""
    names: dict[str, Any] = {}
    for number, cell in enumerate(NOTEBOOK["cells"]):
        if cell["cell_type"] == "code":
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = compile("".join(cell["source"]), f"cell {number}", "exec", flags=flags)
            result = eval(code, names)
            if inspect.isawaitable(result):
                await result
    return names


def test_the_notebook_runs(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOEVOL_MODEL", "scripted/world")
    names = asyncio.run(run_cells())
    assert names["account"]["rows_in"] == 2
    assert (workplace / "runs/notebook/summary.json").is_file()
    assert names["metric"](names["seed"], names["harder"]) == 1.0
    assert names["metric"](names["seed"], names["same"]) == 0.0


@pytest.mark.local
def test_the_notebook_runs_on_a_real_model(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOEVOL_MODEL", "local/qwen2.5-coder-0.5b-instruct")
    account = asyncio.run(run_cells())["account"]
    assert account["rows_in"] == account["rows_out"] + account["rows_failed"] == 2


def test_the_notebook_is_shipped_without_outputs() -> None:
    cells = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)
