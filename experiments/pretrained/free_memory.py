"""The memory that this process may still take, as a limit that the system keeps."""

import contextlib
import resource
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

_CGROUP_FILES = {
    "": (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
    "memory": (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
}
"""By controller; "" is version 2, which has one tree for all of them."""

_RECLAIMED = ("inactive_file", "total_inactive_file")
"""What a group holds of files and gives back when memory is short."""


@contextlib.contextmanager
def within_free_memory() -> Iterator[None]:
    """Let an allocation beyond the free memory raise an error.

    Linux promises more memory than there is, and kills the process that makes use of it, which then
    says nothing. On other systems, and where a GPU computes, nothing changes.
    """
    import torch

    if sys.platform != "linux" or torch.cuda.is_available():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = psutil.Process().memory_info().data + free_memory()
    limits = [limit for limit in (most, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def free_memory() -> int:
    """Return the bytes that this process may still take; its control groups may have fewer."""
    free = int(psutil.virtual_memory().available + psutil.swap_memory().free)
    return max(0, min([free, *_rooms_of_groups()]))


def _rooms_of_groups() -> Iterator[int]:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers not in _CGROUP_FILES:
                continue
            root, limit, usage = _CGROUP_FILES[controllers]
            own = root / path.lstrip("/")
            # A container may see its group as the root of the tree, whatever the path says.
            for folder in {root, own, *own.parents} - {*root.parents}:
                yield from _room(folder, limit, usage)


def _room(folder: Path, limit: str, usage: str) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError):
        # "max", which is no number, is no limit.
        most = int((folder / limit).read_text("ascii"))
        used = int((folder / usage).read_text("ascii"))
        yield most - used + _reclaimed(folder / "memory.stat")


def _reclaimed(file: Path) -> int:
    pairs = (line.split() for line in file.read_text("ascii").splitlines())
    stats: Mapping[str, int] = {name: int(value) for name, value in pairs}
    return max(stats.get(name, 0) for name in _RECLAIMED)
