"""One installed name: the wheel, the checkout, and folders that hold modules of common names."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections import Counter
from pathlib import Path

import pytest

import autoevol
from tests.conftest import REPOSITORY
from tests.support.command_line import run_cli

ROOMS = ("program", "signatures", "metrics", "experiments")
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def built(kind: str, source: Path, out: Path) -> Path:
    """Build an sdist or a wheel of a source tree."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(out.glob("*.tar.gz" if kind == "sdist" else "*.whl"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source tree that an sdist of this checkout unpacks to."""
    folder = tmp_path_factory.mktemp("sdist")
    checkout = folder / "checkout"
    for name in (*ROOMS, "src"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, checkout / name, symlinks=True, ignore=ignore)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, checkout)
    with tarfile.open(built("sdist", checkout, folder)) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob("autoevol-*/"))


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from the sdist, which has no links."""
    return built("wheel", sdist, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the scripts' folder of an environment with the wheel and, by a path, our libraries."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    libraries = sysconfig.get_paths()["purelib"]
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
        env=CLEAN,
    )
    # A path in a .pth file: its own .pth files, the editable checkout's among them, are not read.
    Path(site.stdout.strip(), "libraries.pth").write_text(f"{libraries}\n")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    install += ["--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, env=CLEAN)
    return folder / "bin"


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """Return a folder whose own modules have the names of our rooms."""
    for name in ("metrics.py", "program.py", "signatures.py"):
        (tmp_path / name).write_text(f"OWNER = 'the user of {name}'\n")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/__init__.py").write_text("OWNER = 'the user of experiments'\n")
    shutil.copy(REPOSITORY / "data/seeds_en_ko.jsonl", tmp_path)
    return tmp_path


def test_the_wheel_holds_one_name_and_all_of_every_room(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"autoevol"}
    tracked = subprocess.run(
        ["git", "ls-files", *ROOMS], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.split()
    assert {f"autoevol/{name}" for name in tracked} <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_an_installed_wheel_lives_beside_modules_of_the_same_names(
    environment: Path, crowded: Path
) -> None:
    script = """
import sys
sys.path.insert(0, "")
import experiments, metrics, program, signatures
import autoevol
from autoevol.program.records import Row
print(metrics.OWNER, program.OWNER, signatures.OWNER, experiments.OWNER, sep="\\n")
print(autoevol.__file__)
print([getattr(autoevol, name).__name__ for name in autoevol.__all__ if name[0] != "_"])
"""
    done = subprocess.run(
        [environment / "python", "-c", script],
        cwd=crowded,
        env=CLEAN,
        check=True,
        capture_output=True,
        text=True,
    )
    *owners, file, names = done.stdout.splitlines()
    assert [owner.split()[0] for owner in owners] == ["the"] * 4
    assert Path(file).is_relative_to(environment.parent)
    classes = ["AutoEvol", "AutoEvolInstruct", "AutoEvolPromptOptimizer"]
    classes += ["Evolver", "FailureMetric", "Method"]
    functions = ["aevolve", "evolve", "failure_metric", "ledger_models", "load_method"]
    assert names == str([*classes, *functions, "mlflow_listeners"])


@pytest.mark.parametrize(
    "command",
    [
        ["autoevol", "--version"],
        ["python", "-m", "autoevol", "convert", "seeds_en_ko.jsonl", "out.jsonl"],
    ],
    ids=["script", "module"],
)
def test_an_installed_command_works_in_a_crowded_folder(
    command: list[str], environment: Path, crowded: Path
) -> None:
    arguments = [str(environment / command[0]), *command[1:]]
    done = subprocess.run(
        arguments, cwd=crowded, env=CLEAN, check=True, capture_output=True, text=True
    )
    assert autoevol.__version__ in done.stdout or (crowded / "out.jsonl").stat().st_size > 0


def test_an_installed_wheel_runs_a_shipped_config_by_its_name_in_any_folder(
    environment: Path, tmp_path: Path
) -> None:
    """With its own seeds, and with a project of its own from `init`."""
    for arguments in (
        ["run", "koevol", "--model", "scripted/world", "--limit", "3", "--yes"],
        ["init", "--out", "project"],
        ["run", "project/config.yaml", "--model", "scripted/world", "--dry-run"],
    ):
        subprocess.run(
            [str(environment / "autoevol"), *arguments],
            cwd=tmp_path,
            env=CLEAN,
            check=True,
            capture_output=True,
            text=True,
        )
    assert (tmp_path / "runs/koevol-limit-3/summary.json").is_file()


def test_the_checkout_leaves_common_names_to_others(crowded: Path, tmp_path: Path) -> None:
    """The editable install puts `src` on the path, and nothing else of the repository.

    The user's modules come last on the path, so a room under its bare name would win.
    """
    script = f"""
import sys
sys.path.append({str(crowded)!r})
import autoevol.metrics, experiments, metrics, program, signatures
print(metrics.OWNER, program.OWNER, signatures.OWNER, experiments.OWNER, sep="\\n")
"""
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path / "empty",
        env=CLEAN,
        check=True,
        capture_output=True,
        text=True,
    )
    assert [owner.split()[0] for owner in done.stdout.splitlines()] == ["the"] * 4


LOADED = """
import runpy, sys
from pathlib import Path
sys.argv = ["autoevol", "run", sys.argv[1], "--dry-run"]
try:
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
except SystemExit as stop:
    assert not stop.code
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None)
    if file:
        print("loaded", Path(file).resolve(), name)
"""


@pytest.mark.parametrize("module", ["autoevol", "experiments"])
def test_no_module_is_loaded_twice_under_two_names(module: str) -> None:
    """Both `python -m autoevol` and, in a checkout, `python -m experiments`."""
    done = subprocess.run(
        [sys.executable, "-c", f"MODULE = {module!r}\n{LOADED}", "experiments/configs/h2o.yaml"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("loaded ")]
    files = [file for _, file, _ in lines if Path(file).is_relative_to(REPOSITORY / "experiments")]
    twice = [file for file, count in Counter(files).items() if count > 1]
    entry = {str(REPOSITORY / f"experiments/{name}.py") for name in ("__init__", "__main__")}
    assert len(files) > 20
    assert set(twice) <= (entry if module == "experiments" else set())


def test_this_process_has_loaded_nothing_under_a_rooms_bare_name() -> None:
    files = {
        name: Path(file).resolve()
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in ROOMS and (file := getattr(module, "__file__", None))
    }
    assert [name for name, file in files.items() if file.is_relative_to(REPOSITORY)] == []


def test_a_clone_whose_links_are_files_says_so_in_one_line(tmp_path: Path) -> None:
    """So git checks links out where the file system has none."""
    (tmp_path / "autoevol").mkdir()
    shutil.copy(REPOSITORY / "src/autoevol/__init__.py", tmp_path / "autoevol")
    (tmp_path / "autoevol/program").write_text("../../program")
    done = subprocess.run(
        [sys.executable, "-c", "import autoevol"],
        env={**CLEAN, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "core.symlinks" in done.stderr.splitlines()[-1]


def test_the_version_is_the_packages() -> None:
    assert run_cli("--version", expected=0).out.strip() == f"autoevol {autoevol.__version__}"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        autoevol.Nothing  # noqa: B018
