"""Files that another process is writing: whole lines, each once."""

import os
from pathlib import Path

import pytest

from autoevol.experiments.files.growing import GrowingFile
from autoevol.program.errors import ConfigError


class Lines:
    """What was read of a file."""

    def __init__(self, path: Path) -> None:
        self.lines: list[tuple[int, bytes]] = []
        self.file = GrowingFile(path, self.lines.clear, self._add)

    def _add(self, offset: int, line: bytes) -> None:
        self.lines.append((offset, line))

    def update(self) -> list[bytes]:
        """Return all lines, after another look at the file."""
        self.file.update()
        return [line for _, line in self.lines]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


def test_a_file_that_does_not_exist_has_no_lines_yet(path: Path) -> None:
    lines = Lines(path)
    assert not lines.file.update()
    path.write_bytes(b'{"a": 1}\n')
    assert lines.file.update()
    assert lines.lines == [(0, b'{"a": 1}\n')]
    assert not lines.file.update()


def test_a_line_that_is_being_written_is_read_when_it_is_whole(path: Path) -> None:
    lines = Lines(path)
    path.write_bytes(b'{"a": 1}\n{"b"')
    assert lines.update() == [b'{"a": 1}\n']
    with path.open("ab") as file:
        file.write(b': 2}\n{"c": 3}\n')
    assert lines.update() == [b'{"a": 1}\n', b'{"b": 2}\n', b'{"c": 3}\n']
    assert [offset for offset, _ in lines.lines] == [0, 9, 18]


def test_a_last_line_without_its_end_counts_where_it_is_a_value(path: Path) -> None:
    lines = Lines(path)
    path.write_bytes(b'{"a": 1}')
    assert lines.update() == [b'{"a": 1}']
    with path.open("ab") as file:
        file.write(b'\n{"b": 2}\n')
    assert lines.update() == [b'{"a": 1}', b"\n", b'{"b": 2}\n']


@pytest.mark.parametrize("is_longer", [True, False])
@pytest.mark.parametrize("is_in_place", [True, False])
def test_a_file_that_was_made_anew_is_read_anew(
    path: Path, *, is_longer: bool, is_in_place: bool
) -> None:
    lines = Lines(path)
    path.write_bytes(b'{"a": 1}\n{"b": 2}\n')
    lines.update()
    content = b'{"c": 3}\n{"d": 4}\n' + b'{"e": 5}\n' * is_longer
    if not is_longer:
        content = content[:9]
    if not is_in_place:
        path.rename(path.with_suffix(".old"))
    path.write_bytes(content)
    assert b"".join(lines.update()) == content


def test_a_file_that_was_removed_has_no_lines_any_more(path: Path) -> None:
    lines = Lines(path)
    path.write_bytes(b'{"a": 1}\n')
    lines.update()
    path.unlink()
    assert lines.update() == []
    assert not lines.file.update()


def test_a_file_that_was_removed_after_it_was_forgotten_has_no_lines_any_more(path: Path) -> None:
    lines = Lines(path)
    path.write_bytes(b'{"a": 1}\n')
    lines.update()
    lines.file.forget()
    path.unlink()
    assert lines.update() == []


def test_what_is_no_file_is_refused(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="FIFO"):
        Lines(path).update()
