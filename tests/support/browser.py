"""A headless Chromium, driven by its own protocol; it needs no package that AutoEvol has not."""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

BINARY = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-extensions", "--no-first-run"),
    *("--window-size=1600,1200", "--remote-debugging-port=0", "about:blank"),
)
LONGEST_S, POLL_S = 240.0, 0.25


@dataclass
class Page:
    """A tab."""

    socket: aiohttp.ClientWebSocketResponse
    _number: int = field(default=0)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result; events are passed over."""
        self._number += 1
        await self.socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            told = await self.socket.receive_json(timeout=LONGEST_S)
            if told.get("id") == self._number:
                assert "error" not in told, told["error"]
                result: dict[str, Any] = told["result"]
                return result

    async def open(self, url: str) -> None:
        """Go to an address; also where only its part behind # is another."""
        await self.call("Page.navigate", url="about:blank")
        await self.call("Page.navigate", url=url)

    async def value(self, script: str) -> Any:
        """Return what a script comes to."""
        result = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return result["result"].get("value")

    async def text(self) -> str:
        """Return what a reader sees."""
        return str(await self.value("document.body ? document.body.innerText : ''"))

    async def until(self, script: str) -> Any:
        """Wait until a script comes to something true, and return that."""
        deadline = time.monotonic() + LONGEST_S
        while not (found := await self.value(script)):
            assert time.monotonic() < deadline, f"{script}: not there\n{await self.text()}"
            await asyncio.sleep(POLL_S)
        return found

    async def until_text(self, *needles: str) -> str:
        """Wait until a reader sees all of these texts, and return the whole."""
        for needle in needles:
            await self.until(f"document.body?.innerText.includes({json.dumps(needle)})")
        return await self.text()

    async def picture(self, file: Path) -> None:
        """Take a picture."""
        result = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(result["data"]))


@contextlib.asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """Open a tab of a browser of its own."""
    with _browser() as address:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{address}/json/list") as reply:
                tab = next(each for each in await reply.json() if each["type"] == "page")
            url = tab["webSocketDebuggerUrl"]
            async with session.ws_connect(url, max_msg_size=1 << 28) as socket:
                yield Page(socket)


@contextlib.contextmanager
def _browser() -> Iterator[str]:
    """Start the browser and give the address of its protocol."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(BINARY), f"--user-data-dir={profile}", *OPTIONS]
        with group(command) as _:
            file = Path(profile) / "DevToolsActivePort"
            deadline = time.monotonic() + LONGEST_S
            while not (file.is_file() and file.read_text()):
                assert time.monotonic() < deadline, "the browser does not start"
                time.sleep(POLL_S)
            yield f"http://127.0.0.1:{file.read_text().split()[0]}"


@contextlib.contextmanager
def group(command: list[str], **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command in a process group of its own, which is killed as a whole in the end."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, start_new_session=True, **{**silent, **more})
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
