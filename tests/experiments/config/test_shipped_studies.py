"""The ready studies are studies, and the configs of their arms are configs."""

from pathlib import Path

import pytest

from autoevol.experiments.config.experiment import config_of
from autoevol.experiments.config.loading import read_yaml, tree_of
from autoevol.experiments.config.study import study_config

FOLDER = Path(__file__).parents[3] / "experiments" / "studies"


@pytest.mark.parametrize("name", ["koevol", "small"])
def test_a_ready_study_is_one(name: str) -> None:
    file = FOLDER / f"{name}.yaml"
    study = study_config(read_yaml(file), file)
    assert study.name == name
    assert study.decisive == study.evaluate.tasks[0]
    for arm in study.arms.values():
        if arm.config:
            own = FOLDER.parents[1] / arm.config
            assert config_of(tree_of(own, arm.set), own).evolve.respond


def test_all_ready_studies_are_tested() -> None:
    assert {file.stem for file in FOLDER.glob("*.yaml")} == {"koevol", "small", "small-arms"}
