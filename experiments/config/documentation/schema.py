"""The config as JSON Schema: what `autoevol schema` prints, editors complete from, and docs show.

Meanings are those of the classes' docstrings. Short forms that validators spell out, such as a
model's bare name, are added here: pydantic's own schema does not know them.
"""

import json
import re
from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from pydantic import BaseModel

from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.config.loading import MATRIX

Schema = dict[str, Any]

FILE = "autoevol.schema.json"
"""Its name beside a config."""

EDITOR_LINE = f"# yaml-language-server: $schema={FILE}"
"""By this first line of a config an editor finds the schema."""

_TEXT, _NULL = {"type": "string"}, {"type": "null"}
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def config_schema() -> Schema:
    """Return the JSON Schema of a run's config, of a matrix of runs, too."""
    schema = ExperimentConfig.model_json_schema()
    definitions: Schema = schema["$defs"]
    _describe(schema, ExperimentConfig)
    for model in _sections(ExperimentConfig):
        _describe(definitions[model.__name__], model)
    _add_short_forms(definitions)
    filters = schema["properties"]["filters"]
    filters["items"] = {"anyOf": [filters["items"], _TEXT, {"$ref": "#/$defs/ShortFilter"}]}
    values = {"type": "object", "additionalProperties": {"type": "array"}}
    described = "Several runs: a list of values for each key, as with --set."
    schema["properties"][MATRIX] = {**values, "description": described}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Return the JSON Schema as a file's text."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def _sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield all classes of a config below a class, each once."""
    seen: set[type[BaseModel]] = set()
    waiting = [model]
    while waiting:
        for field in waiting.pop().model_fields.values():
            for inner in _models_in(field.annotation):
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
                    yield inner


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    parts = (*getattr(annotation, "__args__", ()), getattr(annotation, "__origin__", None))
    return [model for part in parts if part is not None for model in _models_in(part)]


def _describe(schema: Schema, model: type[BaseModel]) -> None:
    meanings = meanings_of(model)
    for key, entry in schema.get("properties", {}).items():
        if key in meanings:
            entry["description"] = meanings[key]
        entry.pop("title", None)


def meanings_of(model: type) -> dict[str, str]:
    """Return what the keys of a section mean, by the docstrings of the class and its bases."""
    meanings: dict[str, str] = {}
    for base in reversed(model.__mro__):
        _, _, attributes = (getdoc(base) or "").partition("Attributes:\n")
        for key, text in _ATTRIBUTE.findall(attributes):
            # The classes speak of Python's None, a config of YAML's null.
            meanings[key] = re.sub(r"\bNone\b", "null", " ".join(text.split()))
    return meanings


def _add_short_forms(definitions: Schema) -> None:
    """Allow what validators take beside the form that they make of it."""
    models = definitions["ModelsConfig"]["properties"]
    for role, entry in models.items():
        models[role] = _or(entry, _TEXT)
    definitions["ModelsConfig"]["required"] = ["evolver"]
    # A role other than the evolver may leave its model to the role that it falls back to.
    definitions["ModelConfig"].pop("required", None)
    fallbacks = definitions["ModelConfig"]["properties"]["fallbacks"]
    fallbacks["items"] = {"anyOf": [fallbacks["items"], _TEXT]}
    for name in ("ModelConfig", "EndpointConfig"):
        _, several = definitions[name]["properties"]["api_base"]["anyOf"][0]["oneOf"]
        several["items"] = {"anyOf": [_TEXT, several["items"]]}
    evolve = definitions["EvolveConfig"]["properties"]
    method = {"anyOf": [{"$ref": "#/$defs/MethodConfig"}, _TEXT]}
    evolve["methods"]["items"] = method
    evolve["schedule"]["items"] = {"anyOf": [*method["anyOf"], {"type": "array", "items": method}]}
    evolve["children"] = _or(evolve["children"], {"type": "integer", "minimum": 1})
    for key in ("rounds", "first_round"):
        evolve[key] = _or(evolve[key], _NULL)
    data = definitions["DataConfig"]["properties"]
    for key in ("train_size", "dev_size", "heldout_size", "fresh_size"):
        data[key] = _or(data[key], {"const": "auto"})
    failure = definitions["FailureConfig"]["properties"]
    rules = "Rules of both stages: stands for `evolve` and `respond` together."
    failure["rules"] = {"type": "array", "items": _TEXT, "description": rules}
    _add_short_filters(definitions)


def _add_short_filters(definitions: Schema) -> None:
    """Allow `dedup`, `{dedup: {...}}` and `{top_mnd: 0.3}` for a filter."""
    filters = ("Dedup", "Decontaminate", "Band", "Top", "DiverseSubset")
    by_name = {}
    for definition in filters:
        entry = definitions[definition]
        own = {key: value for key, value in entry.items() if key != "required"}
        by_name[entry["properties"]["name"]["const"]] = {"anyOf": [own, _NULL]}
    definitions["ShortFilter"] = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": by_name,
        "patternProperties": {"^top_": {"type": "number"}},
        "additionalProperties": False,
    }


def _or(entry: Schema, other: Schema) -> Schema:
    """Return the schema of a key that may have another form; meaning and default stay."""
    outer: Schema = {key: entry[key] for key in ("description", "default") if key in entry}
    inner = {key: value for key, value in entry.items() if key not in outer}
    forms = inner.pop("anyOf", None) or [inner]
    return {"anyOf": [*forms, other], **outer}
