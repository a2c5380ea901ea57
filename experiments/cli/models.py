"""`autoevol models`: fetch weights, verify them, and measure the speed on this machine."""

import json
import time
from typing import Annotated
from urllib.request import ProxyHandler, Request, build_opener

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from autoevol.experiments.models.local.digests import sha256_of
from autoevol.experiments.models.local.llama_server import LlamaServer, LlamaSettings
from autoevol.experiments.models.local.weights import SHIPPED, Weights, cached_path, pull
from autoevol.experiments.terminal.console import console
from autoevol.experiments.terminal.progress import progress_bar
from autoevol.program.errors import ConfigError, WeightsError

app = typer.Typer(help="The local models.", no_args_is_help=True, add_completion=False)

_PROMPT = "Write a short story about a lighthouse keeper. " * 20
_TOKENS = 64
_TIMEOUT_S = 300


@app.command("list")
def models_list() -> None:
    """List the local models that can be fetched."""
    name = Column("name", no_wrap=True)
    table = Table(name, "MB", "RAM MB", "tok/s", "cached", box=SIMPLE_HEAD)
    for weights in SHIPPED.values():
        prompt, generated = weights.tokens_per_s
        table.add_row(
            f"local/{weights.name}",
            f"{weights.size / 1e6:.0f}",
            str(weights.ram_mb),
            f"{prompt}/{generated}",
            "yes" if cached_path(weights).is_file() else "no",
        )
    console.print(table)
    for weights in SHIPPED.values():
        console.print(
            f"local/{weights.name}: {weights.note}; {weights.slots} slots, {weights.licence}"
        )
    console.print(
        "Also: local/PATH.gguf, local/hf:OWNER/REPO/FILE.gguf. Speeds are tokens read and written "
        "a second on 2 CPU cores."
    )


@app.command("pull")
def models_pull(name: Annotated[str, typer.Argument(help="local/NAME")]) -> None:
    """Fetch a local model's weights."""
    pull_model(name)


@app.command("check")
def models_check(name: Annotated[str, typer.Argument(help="local/NAME")]) -> None:
    """Verify a local model's weights and measure its speed here."""
    check_model(name)


def find_weights(name: str) -> Weights:
    """Return the catalogue entry of `local/NAME`.

    Raises:
        ConfigError: There is no such model.
    """
    weights = SHIPPED.get(name.removeprefix("local/"))
    if weights is None:
        names = ", ".join(f"local/{key}" for key in SHIPPED)
        raise ConfigError(name, f"unknown local model; must be one of {names}")
    return weights


def pull_model(name: str) -> None:
    """Fetch a model, with a progress bar."""
    weights = find_weights(name)
    with progress_bar(console) as bar:
        path = pull(weights, bar.on_part)
    console.print(f"{path} ({weights.licence})")


def check_model(name: str) -> None:
    """Compare the file's hash and measure prompt and generation speed.

    Raises:
        WeightsError: The file is missing or broken.
    """
    weights = find_weights(name)
    path = cached_path(weights)
    if not path.is_file():
        raise WeightsError(f"{path} does not exist; run `autoevol models pull {name}`")
    if sha256_of(path) != weights.sha256:
        raise WeightsError(f"{path} is broken; delete it and run `autoevol models pull {name}`")
    console.print(f"{path}: SHA-256 as published")
    server = LlamaServer(LlamaSettings(path, slots=1, context=weights.context))
    try:
        console.print(_speed(server))
    finally:
        server.close()


def _speed(server: LlamaServer) -> str:
    body = {"messages": [{"role": "user", "content": _PROMPT}], "max_tokens": _TOKENS}
    headers = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/json"}
    request = Request(f"{server.base_url}chat/completions", json.dumps(body).encode(), headers)
    started = time.monotonic()
    # Without the environment's proxy: the server is on loopback, where a proxy cannot reach it.
    with build_opener(ProxyHandler({})).open(request, timeout=_TIMEOUT_S) as reply:
        timings = json.load(reply)["timings"]
    return (
        f"prompt {timings['prompt_per_second']:.0f} tokens/s, "
        f"generation {timings['predicted_per_second']:.0f} tokens/s, "
        f"{time.monotonic() - started:.1f} s in all"
    )
