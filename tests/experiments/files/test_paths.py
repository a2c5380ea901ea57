"""A path that cannot be, or leads to no file, is an error that names its key."""

import os
import socket
from pathlib import Path

import pytest

from autoevol.experiments.files.paths import (
    MOST_BYTES,
    local_path,
    name_problem,
    read_text,
    regular_file,
)
from autoevol.program.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "needle"),
    [
        ("~nosuchuser/x", "home directory"),
        ("a\0b", "null"),
        ("x" * 256, "too long"),
        ("x/" * 4000, "too long"),
        ("\ud800", "is no path"),
        ("loop", "symbolic links"),
    ],
)
def test_a_path_that_cannot_be_names_its_key(
    name: str, needle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    with pytest.raises(ConfigError, match=needle) as refused:
        local_path(name, "c.yaml: data.path")
    assert refused.value.where == "c.yaml: data.path"
    assert len(str(refused.value)) < 250


def test_a_path_may_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name in ("gone", "file/below"):
        assert local_path(tmp_path / name, "key") == tmp_path / name
    assert local_path("~/x", "key") == Path.home() / "x"


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    kinds = {tmp_path: "folder", tmp_path / "fifo": "FIFO", tmp_path / "socket": "socket"}
    for path, kind in {**kinds, Path("/dev/zero"): "device"}.items():
        with pytest.raises(ConfigError, match=kind):
            regular_file(path, "key")


def test_a_text_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes("\ufeffhi\r\n".encode())
    assert read_text(file, "a.md") == "hi\n"


def test_a_text_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_text(file, "key")
    with file.open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    with pytest.raises(ConfigError, match="larger than 4 MiB"):
        read_text(file, "key")
    with pytest.raises(ConfigError, match="No such file"):
        read_text(tmp_path / "gone", "key")


@pytest.mark.parametrize("path", ["a\0", "x" * 256, "runs/" + "é" * 128, "~nosuchuser/runs"])
def test_a_folder_that_nobody_can_make_is_refused_by_its_name(path: str) -> None:
    assert name_problem(path)
    assert name_problem("runs/" + "x" * 255) is None
