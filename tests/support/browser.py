"""A headless Chromium, driven by its DevTools protocol with packages that AutoEvol needs anyway."""

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
        """Call a method of the protocol and return its result; events are skipped."""
        self._number += 1
        await self.socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = await self.socket.receive_json(timeout=LONGEST_S)
            if message.get("id") == self._number:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

    async def open(self, url: str) -> None:
        """Go to an address."""
        # A page is not loaded anew where only the part behind # differs, so it is left first.
        await self.call("Page.navigate", url="about:blank")
        await self.call("Page.navigate", url=url)

    async def value(self, script: str) -> Any:
        """Return the value of a script."""
        result = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return result["result"].get("value")

    async def text(self) -> str:
        """Return the visible text."""
        return str(await self.value("document.body ? document.body.innerText : ''"))

    async def until(self, script: str) -> Any:
        """Wait until a script's value is true, and return the value."""
        deadline = time.monotonic() + LONGEST_S
        while not (value := await self.value(script)):
            assert time.monotonic() < deadline, f"{script}: not there\n{await self.text()}"
            await asyncio.sleep(POLL_S)
        return value

    async def until_text(self, *needles: str) -> str:
        """Wait until all of these texts are visible, and return the whole text."""
        for needle in needles:
            await self.until(f"document.body?.innerText.includes({json.dumps(needle)})")
        return await self.text()

    async def press(self, key: str) -> None:
        """Press a key, as a person does: where the page has its focus."""
        text = key if len(key) == 1 else ""
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, text=text)

    async def size(self, width: int, height: int) -> None:
        """Give the page the size of a screen; a narrow one is a phone's."""
        options = {"deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, **options)

    async def picture(self, file: Path) -> None:
        """Take a picture."""
        result = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(result["data"]))


@contextlib.asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """Open a tab in a new browser."""
    with _browser() as address:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{address}/json/list") as reply:
                tab = next(target for target in await reply.json() if target["type"] == "page")
            url = tab["webSocketDebuggerUrl"]
            async with session.ws_connect(url, max_msg_size=1 << 28) as socket:
                yield Page(socket)


@contextlib.contextmanager
def _browser() -> Iterator[str]:
    """Start the browser and yield the address of its protocol."""
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
    """Start a command in a process group of its own, and kill the group at the end."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, start_new_session=True, **{**silent, **more})
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
