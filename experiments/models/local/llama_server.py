"""A llama.cpp server inside this process, for `local/` models."""

import gc
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.models.local.idle_cores import idle_cores
from autoevol.program.errors import WeightsError

PROMPT_CACHE_MIB = 512
"""Memory for the prompts of idle slots, in MiB; llama.cpp's own default is 8192."""


@dataclass(frozen=True, slots=True)
class LlamaSettings:
    """Settings of a server; equal ones share a server.

    Attributes:
        path: Of the weights, a .gguf file.
        slots: Requests served at once.
        context: Tokens of prompt and reply, for each slot.
    """

    path: Path
    slots: int
    context: int


class LlamaServer:
    """An OpenAI-compatible server on a free loopback port, with a random key.

    Attributes:
        address: With the port.
        base_url: Ends before `/chat/completions`.

    Raises:
        WeightsError: llama.cpp cannot load the file.
    """

    def __init__(self, settings: LlamaSettings) -> None:
        import xllamacpp

        self.api_key = secrets.token_hex(16)
        self._saved = tempfile.TemporaryDirectory(prefix="autoevol-slots-")
        params = _parameters(xllamacpp.CommonParams(), settings, self.api_key)
        params.slot_save_path = f"{self._saved.name}/"
        try:
            self._server: Any = xllamacpp.Server(params)
        except RuntimeError as error:
            self._saved.cleanup()
            raise WeightsError(f"{settings.path}: llama.cpp cannot load it: {error}") from error
        self.address = self._server.listening_address
        self.base_url = f"{self.address}/v1/"

    @property
    def slot_folder(self) -> Path:
        """Where the server saves slots; it goes with the server."""
        return Path(self._saved.name)

    def close(self) -> None:
        """Stop the server and free its memory."""
        # The server ends when its object is freed; a reference cycle would keep it alive.
        self._server = None
        gc.collect()
        self._saved.cleanup()


def _parameters(params: Any, settings: LlamaSettings, api_key: str) -> Any:
    threads = idle_cores()
    params.model.path = str(settings.path)
    params.n_parallel = settings.slots
    params.n_ctx = settings.context * settings.slots  # llama.cpp divides it among the slots
    params.port = 0  # any free port
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.api_keys = [api_key]
    params.verbosity = 0
    params.ui = False
    return params
