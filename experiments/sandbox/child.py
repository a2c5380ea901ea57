"""Runs code in a process that its parent has confined; the parent hands this source to `python -c`.

One JSON object comes on standard input, one JSON line a call goes to standard output. Nothing of
this project is imported here: the process sees none of its files.
"""

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterator
from typing import Any


def main() -> None:
    """Run one job."""
    job = json.loads(sys.stdin.buffer.read())
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence()
    bound(job["seconds"], job["memory_mib"], job["output_bytes"])
    if job["confined"]:
        refuse_system_calls()
    out.write("ready\n")
    out.flush()
    # Lines that the code writes itself lack the mark, and are no results.
    mark = job["mark"]
    for result in results(job["code"], job["calls"]):
        out.write(mark + json.dumps(result) + "\n")
        out.flush()


def results(code: str, calls: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the result of each call as JSON values."""
    scope: dict[str, Any] = {"__name__": "verifier"}
    try:
        exec(compile(code, "verifier.py", "exec"), scope)
    except BaseException as error:  # noqa: BLE001 - code raises what it likes
        yield from [failure(error)] * len(calls)
        return
    for call in calls:
        try:
            value = scope[call["function"]](*call["arguments"], **call["options"])
            result = {"ending": "value", "value": as_json(value)}
        except BaseException as error:  # noqa: BLE001 - code raises what it likes
            result = failure(error)
        yield result


def as_json(value: Any) -> Any:
    """Return a value that JSON has."""
    try:
        json.dumps(value)
    except TypeError:
        raise ValueError("returned a value that JSON does not have") from None
    return value


def failure(error: BaseException) -> dict[str, Any]:
    """Return the result of a call that raised."""
    ending = "memory" if isinstance(error, MemoryError) else "error"
    try:
        text = str(error)[:500]
    except BaseException:  # noqa: BLE001 - an error's text is code, too
        text = ""
    return {"ending": ending, "message": type(error).__name__ + ": " + text}


def silence() -> None:
    """Send what the code prints nowhere; the results have a descriptor of their own."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        null = os.open(os.devnull, mode)
        os.dup2(null, number)
        os.close(null)


def bound(seconds: float, memory_mib: int, output_bytes: int) -> None:
    """Set the limits of this process; no one but root could raise them again."""
    whole = max(1, int(seconds + 0.999))
    limits = {
        resource.RLIMIT_CPU: (whole, whole + 1),
        resource.RLIMIT_AS: (memory_mib << 20, memory_mib << 20),
        resource.RLIMIT_FSIZE: (output_bytes, output_bytes),
        resource.RLIMIT_NOFILE: (32, 32),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NPROC: (0, 0),
    }
    for kind, values in limits.items():
        resource.setrlimit(kind, values)


# Linux refuses these calls to the code. The namespaces are the wall; this keeps most of the kernel
# out of reach, and no limit on processes holds for root.
# clone fork vfork execve execveat clone3 ptrace socket socketpair unshare setns mount umount2
# pivot_root chroot bpf add_key request_key keyctl userfaultfd perf_event_open process_vm_readv
# process_vm_writev init_module finit_module kexec_load open_by_handle_at io_uring_setup
# io_uring_enter io_uring_register move_mount fsopen pidfd_getfd
REFUSED = {
    "x86_64": (
        0xC000003E,
        "56 57 58 59 322 101 41 53 272 308 165 166 155 161 321 248 249 250 323 298 310 311 175 313 "
        "246 304 425 426 427 429 430 435 438",
    ),
    "aarch64": (
        0xC00000B7,
        "220 221 281 117 198 199 97 268 40 39 41 51 280 217 218 219 282 241 270 271 105 273 104 "
        "265 425 426 427 429 430 435 438",
    ),
}
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refused with EPERM
_FIRST_OF_X32 = 0x40000000  # the same calls under other numbers
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2


def seccomp_program(machine: str) -> bytes:
    """Return a filter of system calls, as the kernel's instructions."""
    architecture, listed = REFUSED[machine]
    numbers = [int(number) for number in listed.split()]
    tail = len(numbers)
    program = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, tail + 1, 0, _FIRST_OF_X32),
        *((_EQUAL, tail - place, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in program)


def refuse_system_calls() -> None:
    """Give up the refused system calls for good."""
    program = ctypes.create_string_buffer(seccomp_program(platform.machine()))
    count = (len(program) - 1) // 8

    class Filter(ctypes.Structure):
        _fields_ = (("count", ctypes.c_ushort), ("program", ctypes.c_void_p))

    held = Filter(count, ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    filtered = ctypes.addressof(held)
    if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(
        _SET_SECCOMP, _FILTER, filtered, 0, 0
    ):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


if __name__ == "__main__":
    main()
