"""Methods read back from where runs leave them: MLflow's Prompt Registry, or a Markdown file."""

from pathlib import Path
from typing import Any

from autoevol.experiments.files.paths import read_text
from autoevol.experiments.tracking.background import reason_of
from autoevol.experiments.tracking.config import SETTINGS_FILE, load_tracking
from autoevol.experiments.tracking.database import TrackingError, check_database, database_file
from autoevol.experiments.tracking.prompts.registry import METHOD_ID
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, from_markdown

_SCHEME = "prompts:/"


def load_method(source: str | Path, *, tracking_uri: str | None = None) -> Method:
    """Return a method that a run found: instructions, demonstrations and thinking mode.

    `Evolver(...).with_method(load_method("prompts:/autoevol-quickstart@best"))` asks the very
    prompts that the run asked.

    Args:
        source: `prompts:/NAME/VERSION` or `prompts:/NAME@ALIAS` of the Prompt Registry, or the path
            of a method's Markdown file, such as `runs/my/methods/best.md`.
        tracking_uri: Address of the store with the registry; None: the one of `mlflow.yaml`.

    Raises:
        ConfigError: There is no such method, or the text there is none; the store cannot be
            used.
    """
    if not str(source).startswith(_SCHEME):
        return _of_file(Path(source))
    version = _version(str(source), tracking_uri or _store_address())
    if not isinstance(version.template, str):
        raise ConfigError(str(source), "is a prompt of several messages, and a method is one text")
    method = _parsed(version.template, str(source), name=version.name)
    if version.tags.get(METHOD_ID, method.id) != method.id:
        raise ConfigError(
            str(source),
            "holds the instructions alone, since an earlier version registered it; load "
            "methods/best.md of the run's folder instead",
        )
    return method


def _of_file(path: Path) -> Method:
    # A model may have written a carriage return, which is part of the method's id.
    return _parsed(read_text(path, str(path), newline=""), str(path), name=path.stem)


def _parsed(text: str, where: str, *, name: str) -> Method:
    try:
        return from_markdown(text, name=name)
    except ValueError as error:
        raise ConfigError(where, f"is no method: {error}") from error


def _version(uri: str, tracking_uri: str) -> Any:
    try:
        version = _loaded(uri, tracking_uri)
    # MLflow, its database driver and its HTTP client raise what they like.
    except Exception as error:
        raise ConfigError(uri, f"cannot be loaded from MLflow: {reason_of(error)}") from error
    if version is None:
        raise ConfigError(uri, "is not in the Prompt Registry")
    return version


def _loaded(uri: str, tracking_uri: str) -> Any:
    from mlflow import MlflowClient

    file = database_file(tracking_uri)
    if file and not file.exists():
        raise TrackingError(f"there is no database {file}")
    if file:
        check_database(file)
    # Not `load_prompt`: it remembers which version an alias had, and links the prompt to the
    # experiment of MLFLOW_EXPERIMENT_ID, which may be one of another store.
    client = MlflowClient(tracking_uri, tracking_uri)
    name, version = client.parse_prompt_uri(uri)
    if str(version).isdigit():
        return client.get_prompt_version(name, version)
    return client.get_prompt_version_by_alias(name, version)


def _store_address() -> str:
    config = load_tracking()
    if config is None:
        raise ConfigError(SETTINGS_FILE, "does not exist here; name the store with tracking_uri")
    return config.tracking_uri
