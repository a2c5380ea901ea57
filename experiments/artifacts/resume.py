"""Which settings make a config and a folder the same run, so that the one resumes the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.format import FORMAT, with_implied
from autoevol.experiments.artifacts.identity import RUN, RunIdentity, read_identity
from autoevol.experiments.config.experiment import (
    EVOLVING,
    ROLES,
    ExperimentConfig,
    config_of,
    limited,
)
from autoevol.experiments.config.loading import read_yaml, tree_of
from autoevol.metrics import compose
from autoevol.program.errors import ConfigError

CONFIG, LEDGER = "config.yaml", "ledger.sqlite"

RESUMABLE = (
    *("concurrency", "requests_per_minute", "tokens_per_minute"),
    *("timeout", "attempts", "backoff", "backoff_max", "hedge_after", "outage"),
    "max_reply_bytes",
    *("api_key_env", "price", "fallbacks", "batch"),
)
"""Model settings that may differ when a run resumes; the budget may, too."""

_NOT_THE_ROWS = ("budget", "output", "scores", "filters", "verify", "train")
_NOT_THE_REWRITES = ("target", "max_candidates", "chunk_rows", "constraints")
# `--force` makes the search that a finished run has skipped; the storage is a view of the study.
_NOT_THE_SEARCHS = ("headroom", "storage", "learn_from")


def stored_config(folder: Path, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """Return the config of a folder's run, as its format means it.

    Args:
        folder: A run's.
        overrides: `a.b=c`, over the stored keys.

    Raises:
        ConfigError: It is damaged, or says what this version does not take.
    """
    tree = with_implied(tree_of(folder / CONFIG, overrides), format_of(folder))
    return config_of(tree, folder / CONFIG)


def config_for_folder(
    tree: dict[str, Any],
    file: Path,
    *,
    out: Path | None = None,
    limit: int | None = None,
    fresh: bool = False,
) -> ExperimentConfig:
    """Return the config that a user's keys make up for the folder that they name.

    Where an older run lies in the folder, keys that the user leaves out have the values that the
    folder's format implies.

    Raises:
        ConfigError: Names the file and the key.
    """
    config = _config(tree, file, out, limit)
    number = FORMAT if fresh else format_of(config.folder)
    return config if number == FORMAT else _config(with_implied(tree, number), file, out, limit)


def format_of(folder: Path) -> int:
    """Return the format of the run that a folder holds; a folder without one is of today's.

    Raises:
        ConfigError: The folder's `run.json` is damaged, or of a later version.
    """
    return read_identity(folder).format if holds_run(folder) else FORMAT


def holds_run(folder: Path) -> bool:
    """Return whether a run was begun here; a kill may leave `run.json` alone."""
    return (folder / RUN).is_file() and any((folder / name).is_file() for name in (CONFIG, LEDGER))


def _config(
    tree: dict[str, Any], file: Path, out: Path | None, limit: int | None
) -> ExperimentConfig:
    config = config_of(tree, file, out=out)
    return limited(config, limit, out=out) if limit else config


def known_run(config: ExperimentConfig, content: str) -> RunIdentity | None:
    """Return which run the config's folder holds, if that is this very run; None: it holds none.

    Raises:
        ConfigError: It holds a run of another config.
    """
    path = config.folder
    if not holds_run(path):
        return None
    identity = read_identity(path)
    differing = []
    # Without its config a run is known by what the config points to; the file is written again.
    if is_readable(path / CONFIG):
        stored = _stored_for_resume(path, identity)
        # Two resolved configs are compared, never the files: a key that came later makes no other
        # run.
        differing = _differences(_resumable(stored), _resumable(config))
    # First, for sizes that the config leaves out follow the number of rows.
    if identity.content != content:
        differing = ["content of its data or method files", *differing]
    if differing:
        raise ConfigError(
            "output.dir",
            f"{path} holds a run with another {', '.join(differing)}; "
            "choose another folder (--out) or start anew (--fresh)",
        )
    return identity


def is_readable(file: Path) -> bool:
    """Tell whether a file holds keys in YAML, as far as one can tell without checking them."""
    try:
        return bool(read_yaml(file))
    except ConfigError:
        return False


def _stored_for_resume(path: Path, identity: RunIdentity) -> ExperimentConfig:
    try:
        return stored_config(path)
    except ConfigError as error:
        raise ConfigError(
            "output.dir",
            f"{path} is of format {identity.format} and cannot be resumed by this version "
            f"({error}); choose another folder (--out) or start anew (--fresh)",
        ) from error


def _resumable(config: ExperimentConfig) -> dict[str, Any]:
    """Return the settings that must be the same when a run resumes."""
    tree = config.model_dump(mode="json")
    models = {
        role: _of_rows(tree["models"][role])
        for role in _roles_of_rows(config)
        if tree["models"][role]
    }
    kept = {key: value for key, value in tree.items() if key not in _NOT_THE_ROWS}
    # What files hold is compared by the fingerprint of the content; the same file may be named in
    # several ways. A larger target continues where the smaller one stopped; chunks make no other
    # row.
    kept["evolve"] = {k: v for k, v in tree["evolve"].items() if k not in _NOT_THE_REWRITES}
    for key in ("methods", "schedule"):
        if key in kept["evolve"]:
            kept["evolve"][key] = _without_folders(kept["evolve"][key])
    kept["data"] = {key: value for key, value in tree["data"].items() if key != "path"}
    kept["answer"] = {key: v for key, v in tree["answer"].items() if key != "prompt"}
    search = {key: value for key, value in tree["optimizer"].items() if key not in _NOT_THE_SEARCHS}
    search["initial_method"] = _without_folders(search["initial_method"])
    return {**kept, "models": models, "optimizer": search}


def _without_folders(methods: Any) -> Any:
    """Return methods as a config names them, without the folders of their files."""
    if isinstance(methods, str):
        return Path(methods).name
    if isinstance(methods, dict):
        return {**methods, "name": Path(methods["name"]).name}
    return [*map(_without_folders, methods)] if isinstance(methods, list) else methods


def _of_rows(model: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a model that decide what it says."""
    # Of several addresses that serve one model, some may come and go.
    is_list = isinstance(model["api_base"], list)
    base = {"api_base": "several"} if is_list else {}
    return {**{key: value for key, value in model.items() if key not in RESUMABLE}, **base}


def _roles_of_rows(config: ExperimentConfig) -> tuple[str, ...]:
    """Return the roles whose models decide which rows a run has."""
    # A score asks solvers about finished rows and changes none; F may ask them about every row.
    rules = (*compose(config.failure.evolve, "evolve"), *compose(config.failure.teach, "teach"))
    asks = any(rule.witness in ("solver", "solvers") for rule in rules)
    return ROLES if asks else EVOLVING


def _differences(then: Any, now: Any, at: str = "") -> list[str]:
    """Return the dotted keys under which two trees differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        keys = [*then, *(key for key in now if key not in then)]
        return [
            path
            for key in keys
            for path in _differences(then.get(key), now.get(key), f"{at}.{key}".lstrip("."))
        ]
    return [] if then == now else [at]
