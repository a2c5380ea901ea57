"""Messages about a YAML file: one line that names the file, the key and what it must be."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from autoevol.experiments.config.section import BESIDE
from autoevol.program.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
UNKNOWN = "unknown key"
CONCEALED = {"api_base", "params", "storage"}
"""Keys whose value may be a secret by mistake, so a message does not repeat it."""

FORMS = ("one", "several")
"""Names, within pydantic's places of errors, of the forms of a key that takes a value or a list."""

_FALLING_BACK = ("models.responder", "models.optimizer", "models.judge")
_FIRST_KEYS = {"models": "models.evolver", "data": "data.path"}
"""What a section needs at least."""

_OF_SECTIONS = ("model_type", "model_attributes_type", "dict_type")
"""Pydantic's errors where a section is missing; they name our classes."""

_LONGEST = 80
"""Characters of a value in a message."""

_OF_TUPLES = ("tuple_type", "too_short", "too_long")
"""Pydantic's errors that speak of tuples, which a YAML file calls lists."""


def checked(schema: type[Model], tree: Any, path: Path) -> Model:
    """Return a tree of keys as a schema has it.

    Raises:
        ConfigError: Names the file and the key.
    """
    try:
        return schema.model_validate(tree, context={BESIDE: path.parent})
    except ValidationError as error:
        raise config_error(path, error, schema) from error


def config_error(path: Path, error: ValidationError, schema: type[BaseModel]) -> ConfigError:
    """Return the error that names file and key of a schema's first complaint."""
    errors = _written(error.errors())
    # A key that is missing is often one that is misspelt.
    errors.sort(key=lambda detail: detail["type"] != "extra_forbidden")
    missing = [] if errors[0]["type"] == "extra_forbidden" else _missing_keys(errors)
    # Who begins a config wants to know at once what it needs.
    if len(missing) > 1:
        wrong = sum(detail["type"] != "missing" for detail in errors)
        tail = f" (and {wrong} more)" if wrong else ""
        return ConfigError(f"{path}: {', '.join(missing)}", f"are required{tail}")
    first, *rest = errors
    # A list with a wrong item is called too short as well: one mistake, not two.
    others = [other for other in rest if other["loc"] != first["loc"][: len(other["loc"])]]
    key = _key(first)
    tail = f" (and {len(others)} more)" if others else ""
    where = f"{path}: {key}" if key else str(path)
    return ConfigError(where, f"{_problem(first, schema)}{tail}")


def _missing_keys(errors: Sequence[ErrorDetails]) -> list[str]:
    """Return the keys that a user has to write."""
    keys = [_key(detail) for detail in errors if detail["type"] == "missing"]
    return [_FIRST_KEYS.get(key, key) for key in keys]


def _written(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Return the errors without those of roles that fall back to the evolver, which is wrong."""
    return [
        detail
        for detail in errors
        if detail["type"] != "missing" or not _key(detail).startswith(_FALLING_BACK)
    ] or list(errors)


def _key(detail: ErrorDetails) -> str:
    return ".".join(str(part)[:_LONGEST] for part in detail["loc"] if part not in FORMS)


def _problem(detail: ErrorDetails, schema: type[BaseModel]) -> str:
    if detail["type"] == "extra_forbidden":
        keys = _allowed_keys(detail["loc"][:-1], schema)
        close = difflib.get_close_matches(str(detail["loc"][-1]), keys, n=1)
        return UNKNOWN + (f"; did you mean {close[0]!r}?" if close else "")
    if detail["type"] == "missing":
        return "is required"
    if detail["type"] == "union_tag_invalid":
        context = detail["ctx"]
        return f"name must be one of {context['expected_tags']}, got {shown(context['tag'])}"
    if "api_key_env" in detail["loc"]:
        # The value is left out: who errs here has often pasted the key itself.
        return "must be the name of an environment variable, not the key itself"
    # Pydantic writes this before the text of a ValueError of ours.
    problem = detail["msg"].removeprefix("Value error, ")
    if detail["type"] in _OF_SECTIONS:
        problem = "must be a mapping of keys"
    if CONCEALED & {*detail["loc"]}:
        return problem
    if detail["type"] in _OF_TUPLES:
        problem = problem.replace("tuple", "list").replace("Tuple", "List")
    # The input of a check between keys is the whole section: too long for a line, and it holds the
    # concealed keys, too.
    return (
        problem if isinstance(detail["input"], dict) else f"{problem}, got {shown(detail['input'])}"
    )


def shown(value: Any) -> str:
    """Return a value for a message, cut to a part of a line."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _allowed_keys(path: Sequence[str | int], schema: type[BaseModel]) -> list[str]:
    """Return the keys allowed at `path` in the schema.

    A number is an index of a list; a word that is no key is the tag of one of several schemas.
    """
    models: list[Any] = [schema]
    for part in path:
        if isinstance(part, int) or part in FORMS:
            continue
        inner = [
            _models_in(m.model_fields[part].annotation) for m in models if part in m.model_fields
        ]
        models = inner[0] if inner else [m for m in models if _has_tag(m, part)]
    return [key for model in models for key in (*model.model_fields, *model.shorthands)]


def _has_tag(model: type[BaseModel], tag: str) -> bool:
    return "name" in model.model_fields and tag in get_args(model.model_fields["name"].annotation)


def _models_in(annotation: Any) -> list[Any]:
    """Return the parts of the schema in an annotation, those inside a list or a union too."""
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
