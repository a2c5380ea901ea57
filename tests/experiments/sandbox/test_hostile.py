"""Hostile programs get nothing, end within their limits, and leave the sandbox as it was."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoevol.experiments.sandbox import SandboxName, open_sandbox
from autoevol.program.sandbox import Call, CallResult, Limits

LIMITS = Limits(seconds=1.0, memory_mib=128, output_bytes=100_000)
MOST_SECONDS = 20.0  # on a busy machine: three times the limit, and a start
SECRET = "the-secret-of-this-test"
SANDBOXES: tuple[SandboxName, ...] = ("monty", "bwrap")

# Each defines evaluate(path, variable, port). A program that gets at what it looks for returns it.
GREEDY = {
    "file": "return open(path).read()",
    "file by pathlib": "from pathlib import Path\nreturn Path(path).read_text()",
    "file by descriptor": "import os\nreturn os.read(os.open(path, os.O_RDONLY), 99).decode()",
    "file by io": "import io\nreturn io.open_code(path).read().decode()",
    "file by a path from the root": "return open('/../../..' + path).read()",
    "file by a symlink": (
        "import os\nos.symlink(path, '/tmp/link')\nreturn open('/tmp/link').read()"
    ),
    "file by a hard link": "import os\nos.link(path, '/tmp/hard')\nreturn open('/tmp/hard').read()",
    "file by a changed link": (
        "import os\nopen('/tmp/a', 'w').write('x')\nfor _ in range(200):\n"
        "    os.unlink('/tmp/a')\n    os.symlink(path, '/tmp/a')\n    text = open('/tmp/a').read()\n"
        "return text"
    ),
    "file by import": "import importlib.util\nreturn importlib.util.spec_from_file_location('x', path)"
    ".loader.get_data(path).decode()",
    "folder": "import os\nreturn [n for n in os.listdir(os.path.dirname(path)) if 'secret' in n][0]",
    "home": "import os\nreturn os.listdir(os.path.expanduser('~'))",
    "password file": "return open('/etc/passwd').read()",
    "write beside": "open(path + '.new', 'w').write('x')\nreturn 'written'",
    "remove": "import os\nos.remove(path)\nreturn 'removed'",
    "root": "open('/new', 'w').write('x')\nreturn 'written'",
    "device": "return open('/dev/mem', 'rb').read(1).hex()",
    "environment": "import os\nreturn os.environ[variable]",
    "environment by getenv": "import os\nreturn os.getenv(variable)",
    "environment by proc": "return open('/proc/self/environ').read()",
    "parent by proc": "import os\nreturn open(f'/proc/{os.getppid()}/cmdline').read()",
    "memory by proc": "return open('/proc/self/mem', 'rb').read(1).hex()",
    "network": "import socket\nreturn str(socket.create_connection(('127.0.0.1', port), 1))",
    "network by url": (
        "import urllib.request\n"
        "return urllib.request.urlopen(f'http://127.0.0.1:{port}', timeout=1).read().decode()"
    ),
    "name look-up": "import socket\nreturn socket.gethostbyname('localhost')",
    "unix socket": (
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('/run/x')\nreturn 'connected'"
    ),
    "fork": "import os\nreturn str(os.fork() or os._exit(0))",
    "fork bomb": "import os\nwhile True:\n    os.fork()",
    "thread bomb": (
        "import threading, time\nfor _ in range(1000):\n"
        "    threading.Thread(target=time.sleep, args=(9,)).start()\nreturn 'threads'"
    ),
    "program": "import subprocess\nreturn subprocess.run(['id'], capture_output=True).stdout.decode()",
    "shell": "import os\nassert os.system('true') == 0\nreturn 'shell'",
    "exec": "import os\nos.execv('/bin/sh', ['sh', '-c', 'echo ready'])",
    "ctypes": ("import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.fork() > 0\nreturn 'forked'"),
    "ptrace": (
        "import ctypes, os\nassert ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0\n"
        "return 'attached'"
    ),
    "mount": (
        "import ctypes\nassert ctypes.CDLL(None).mount(b'none', b'/tmp', b'proc', 0, 0) == 0\n"
        "return 'mounted'"
    ),
    "new namespace": (
        "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0\nreturn 'namespace'"
    ),
    "raised limit": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))\nreturn 'more'"
    ),
    "introspection": (
        "kinds = ().__class__.__base__.__subclasses__()\n"
        "[wrap] = [k for k in kinds if k.__name__ == '_wrap_close']\n"
        "return wrap.__init__.__globals__['environ'][variable]"
    ),
    "builtins": "return __builtins__['__import__']('os').environ[variable]",
}
# Programs that use up a limit.
WASTEFUL = {
    "loop": "while True:\n    pass",
    "loop that catches": (
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass"
    ),
    "loop in finally": "try:\n    1 / 0\nfinally:\n    while True:\n        pass",
    "sleep": "import time\ntime.sleep(600)",
    "ignored signal": (
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass"
    ),
    "memory": "return len('x' * 10**10)",
    "memory bit by bit": "texts = []\nwhile True:\n    texts.append('x' * 10**6 + str(len(texts)))",
    "power": "return len(str(9**9**9))",
    "factorial": "import math\nreturn math.factorial(10**8)",
    "regex": "import re\nreturn bool(re.match(r'(a+)+\\1b', 'a' * 50))",
    "regex on words": "import re\nreturn bool(re.match(r'(\\w+\\s?)*$', 'word ' * 40 + '!'))",
    "huge value": "return 'x' * 10**7",
    "huge print": "while True:\n    print('x' * 10**5)",
    "recursion": "def down(n):\n    return down(n + 1)\nreturn down(0)",
    "permutations": "import itertools\nreturn sum(1 for _ in itertools.permutations(range(15)))",
    "file that grows": "with open('/tmp/x', 'w') as file:\n    while True:\n        file.write('x' * 10**6)",
    "exit": "import os\nos._exit(0)",
    "abort": "import os\nos.abort()",
    "kill all": "import os, signal\nos.kill(-1, signal.SIGKILL)\nreturn 'killed'",
    "crash": "import ctypes\nreturn ctypes.string_at(0).decode()",
}


def _program(body: str) -> str:
    return "def evaluate(path, variable, port):\n    " + body.replace("\n", "\n    ")


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str, int]]:
    file = tmp_path / "secret.txt"
    file.write_text(SECRET)
    monkeypatch.setenv("AUTOEVOL_TEST_SECRET", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield str(file), "AUTOEVOL_TEST_SECRET", server.getsockname()[1]
        with pytest.raises(BlockingIOError):  # nobody connected
            server.accept()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.txt"]
    assert file.read_text() == SECRET


def _run(name: SandboxName, body: str, arguments: tuple[str, str, int]) -> CallResult:
    """Return the result of a program; the sandbox still works after it."""

    async def run() -> CallResult:
        async with open_sandbox(name, processes=1) as sandbox:
            [result] = await sandbox.run(_program(body), [Call("evaluate", arguments)], LIMITS)
            sound = "def evaluate(*_):\n    return 'works'"
            [after] = await sandbox.run(sound, [Call("evaluate")], LIMITS)
            assert after.value == "works"
            return result

    started = time.monotonic()
    result = asyncio.run(run())
    assert time.monotonic() - started < MOST_SECONDS
    return result


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("body", GREEDY.values(), ids=GREEDY.keys())
def test_code_gets_nothing(sandbox: SandboxName, body: str, secrets: tuple[str, str, int]) -> None:
    result = _run(sandbox, body, secrets)
    assert result.value is None, result


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("body", WASTEFUL.values(), ids=WASTEFUL.keys())
def test_waste_ends_within_the_limits(
    sandbox: SandboxName, body: str, secrets: tuple[str, str, int]
) -> None:
    result = _run(sandbox, body, secrets)
    # A regular expression may be decided without the waste.
    assert result.ending != "value" or result.value is False, result


def test_a_process_leaves_no_other_behind(secrets: tuple[str, str, int]) -> None:
    before = set(_children())
    _run("bwrap", "import time\ntime.sleep(600)", secrets)
    assert set(_children()) <= before


def _children() -> list[str]:
    """Return the programs whose parent is this process."""
    mine = str(os.getpid())
    stats = [p.read_text().rpartition(")")[2].split() for p in Path("/proc").glob("[0-9]*/stat")]
    return [" ".join(fields) for fields in stats if fields[1] == mine]
