"""The methods and prompts of a plan: those of each round, the start of a search, the answers'."""

import difflib
from collections.abc import Sequence

from autoevol.experiments.config.errors import shown
from autoevol.experiments.config.evolve import MethodConfig
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.files.paths import local_path, read_text
from autoevol.program.adapter import is_plain
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, RespondToInstruction, from_markdown, shipped_methods
from autoevol.signatures.respond import I_DO_NOT_KNOW


def schedule_of(config: ExperimentConfig, where: str) -> list[list[Method]]:
    """Return the methods of each round.

    Raises:
        ConfigError: Names the file and the key.
    """
    key = f"{where}: evolve.{'schedule' if config.evolve.schedule else 'methods'}"
    schedule = [[_with_parameters(entry, key) for entry in es] for es in config.evolve.entries]
    for methods in schedule:
        names = [method.name for method in methods]
        # Weights, a bandit's tallies and the accounts all go by the method's name.
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ConfigError(key, f"{twice} is listed twice; give one of them a file and a name")
    is_weighted = config.evolve.choice == "weighted"
    if is_weighted and not all(any(e.weight for e in es) for es in config.evolve.entries):
        raise ConfigError(key, "all methods of a round have weight 0, so none can be chosen")
    return schedule


def _with_parameters(entry: MethodConfig, where: str) -> Method:
    method = find_method(entry.name, where)
    try:
        return method.with_parameters(**entry.parameters) if entry.parameters else method
    except ValueError as error:
        raise ConfigError(where, f"{entry.name}: {error}") from error


def answer_prompt_of(config: ExperimentConfig, where: str) -> str:
    """Return the responder's instructions; "": the signature's own."""
    file = config.answer.prompt
    prompt = _text_of(file, f"{where}: answer.prompt").strip() if file else ""
    if config.answer.idk:
        prompt = f"{prompt or RespondToInstruction.instructions} {I_DO_NOT_KNOW}"
    return prompt


def _text_of(file: str, key: str) -> str:
    path = local_path(file, key)
    try:
        text = read_text(path, str(path))
    except ConfigError as error:
        raise ConfigError(key, str(error)) from error
    if not text.strip():
        raise ConfigError(key, f"{file} is empty")
    return text


def find_method(name: str, where: str) -> Method:
    """Return a shipped method, or the one in a file.

    Raises:
        ConfigError: There is neither, or the file is no method.
    """
    shipped = shipped_methods()
    if name in shipped:
        return shipped[name]
    path = local_path(name, f"{where}, the method's name")
    if not path.exists():
        near = difflib.get_close_matches(name, shipped, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ";"
        raise ConfigError(
            where,
            f"unknown method {shown(name)}{hint} `autoevol methods list` shows the names",
        )
    try:
        # A model may have written a carriage return, which is part of the method's id.
        text = read_text(path, str(path), newline="")
    except ConfigError as error:
        raise ConfigError(where, f"names a method that is none: {error}") from error
    try:
        return from_markdown(text, name=path.stem)
    except ValueError as error:
        raise ConfigError(str(path), f"is no method: {error}") from error


def start_of(config: ExperimentConfig, methods: Sequence[Method], where: str) -> Method | None:
    """Return where the search starts; None: there is no search.

    Raises:
        ConfigError: Names the file and the key.
    """
    if not config.is_search:
        return None
    if not config.evolve.rounds:
        raise ConfigError(
            f"{where}: evolve.rounds",
            "is 0, so the method that a search finds would never be applied; "
            "set optimizer.name: none",
        )
    if len(methods) != 1:
        raise ConfigError(
            f"{where}: evolve.methods",
            f"must be one method, which the search starts from and replaces, not {len(methods)}; "
            "name one, or set optimizer.name: none",
        )
    if config.optimizer.initial_method:
        return find_method(config.optimizer.initial_method, f"{where}: optimizer.initial_method")
    return methods[0]


def check_adapter(config: ExperimentConfig, methods: Sequence[Method], where: str) -> None:
    """Check that the adapters can read what the methods and the judge have to say.

    Raises:
        ConfigError: Names the file and the key.
    """
    if config.models.judge.adapter == "plain":
        raise ConfigError(
            f"{where}: models.judge.adapter",
            "plain reads text, not a verdict; use chat, json or xml",
        )
    clash = next((m for m in methods if not is_plain(m.signature)), None)
    if clash and config.models.evolver.adapter == "plain":
        raise ConfigError(
            f"{where}: models.evolver.adapter",
            f"plain reads one output field, and method {clash.name} has a second one for its "
            "thinking; use chat, json or xml",
        )
