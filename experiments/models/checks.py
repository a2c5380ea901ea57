"""Checks of a model's settings, without any call."""

from pathlib import Path

from autoevol.experiments.models.local.weights import SHIPPED
from autoevol.experiments.models.prices import is_known_name
from autoevol.experiments.models.settings import (
    HAVE_BATCHES,
    NEEDS_BASE,
    SPEAKS_OPENAI,
    ModelSettings,
    addresses_of,
    batch_provider_name,
    members_of,
)
from autoevol.experiments.models.transports.recorded import is_record
from autoevol.experiments.models.transports.scripted import SCRIPTS
from autoevol.program.errors import ConfigError


def check(settings: ModelSettings, where: str) -> None:
    """Check without any call that the model exists and can be reached.

    Args:
        settings: Of one role.
        where: File and key, for the message.

    Raises:
        ConfigError: Unknown name, missing file, missing key, missing api_base.
    """
    _check_fitting_keys(settings, where)
    _check_batch(settings, where)
    if settings.kind == "local":
        _check_local(settings.model.removeprefix("local/"), where)
    elif settings.kind == "scripted":
        name = settings.model.removeprefix("scripted/")
        if name not in SCRIPTS and not is_record(Path(name)):
            names = ", ".join(SCRIPTS)
            raise ConfigError(where, f"must be one of {names}, or a folder of recorded replies")
    else:
        _check_hosted(settings, where)


def _check_fitting_keys(settings: ModelSettings, where: str) -> None:
    """Reject keys that have no effect for this kind of model."""
    foreign = (
        ("context",)
        if settings.kind != "local"
        else (
            "api_base",
            "endpoint_id",
            "requests_per_minute",
            "tokens_per_minute",
            "hedge_after",
            "prices",
        )
    )
    for key in foreign:
        if getattr(settings, key) is not None:
            name = key.replace("prices", "price")  # the config's key
            raise ConfigError(f"{where}.{name}", f"has no effect for {settings.model}; remove it")


def _check_batch(settings: ModelSettings, where: str) -> None:
    if settings.batch is None:
        return
    if batch_provider_name(settings) is None:
        takers = ", ".join((*HAVE_BATCHES, *SPEAKS_OPENAI))
        problem = f"{settings.model} is at no provider of batches ({takers}); remove it"
        raise ConfigError(f"{where}.batch", problem)
    if addresses_of(settings):
        raise ConfigError(f"{where}.batch", "needs a single api_base, and there is a list of them")


def _check_local(name: str, where: str) -> None:
    if name in SHIPPED or name.startswith("hf:"):
        return
    path = Path(name).expanduser()
    if path.suffix != ".gguf":
        raise ConfigError(
            where,
            f"unknown local model {name!r}; must be one of {', '.join(SHIPPED)}, "
            "PATH.gguf, hf:OWNER/REPO/FILE",
        )
    if not path.is_file():
        raise ConfigError(where, f"no such file: {path}")


def _check_hosted(settings: ModelSettings, where: str) -> None:
    provider = settings.model.partition("/")[0]
    if not is_known_name(settings.model):
        raise ConfigError(
            where,
            f"unknown model {settings.model!r}; write PROVIDER/NAME as litellm does "
            "(openai/gpt-4o-mini, hosted_vllm/NAME, …), or local/NAME",
        )
    if provider in NEEDS_BASE and not settings.api_base:
        raise ConfigError(where, f"{provider}/ needs api_base, the address of your server")
    for member in members_of(settings):
        if member.key_variable and not member.api_key:
            raise ConfigError(
                where, f"set {member.key_variable} in the environment or in .env (or api_key_env)"
            )
