"""The page of all config keys, made of the JSON Schema: meaning, default, range, example."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from autoevol.experiments.config.documentation.schema import Schema, config_schema
from autoevol.experiments.config.loading import read_yaml
from autoevol.experiments.config.shipped import CONFIGS

_HEAD = """# Configuration

Every key of a run's YAML. Written by `autoevol schema --markdown` from the classes;
`autoevol schema` prints the JSON Schema. Editors with a YAML language server complete and check a
config that begins with

```yaml
# yaml-language-server: $schema=autoevol.schema.json
```

`autoevol init FILE` writes such a config for your data, and the schema beside it. Only `name`,
`models.evolver` and `data.path` are required. `--set key.sub=value` overrides any key.
"""

_SECTIONS = (
    ("Top level", "", None),
    ("models.ROLE", "models.evolver", "ModelConfig"),
    ("models.ROLE.api_base", "models.evolver.api_base", "AddressConfig"),
    ("models.ROLE.price", "models.evolver.price", "PriceConfig"),
    ("models", "models", "ModelsConfig"),
    ("data", "data", "DataConfig"),
    ("data.fields", "data.fields", "FieldsConfig"),
    ("failure", "failure", "FailureConfig"),
    ("optimizer", "optimizer", "OptimizerConfig"),
    ("evolve", "evolve", "EvolveConfig"),
    ("evolve.methods, evolve.schedule", "evolve.methods", "MethodConfig"),
    ("evolve.until", "evolve.until", "UntilConfig"),
    ("answer", "answer", "AnswerConfig"),
    ("scores", "scores", "ScoresConfig"),
    ("filters: dedup", "filters.dedup", "Dedup"),
    ("filters: decontaminate", "filters.decontaminate", "Decontaminate"),
    ("filters: band", "filters.band", "Band"),
    ("filters: top", "filters.top", "Top"),
    ("filters: diverse_subset", "filters.diverse_subset", "DiverseSubset"),
    ("verify", "verify", "VerifyConfig"),
    ("train", "train", "TrainConfig"),
    ("output", "output", "OutputConfig"),
    ("budget", "budget", "BudgetConfig"),
)
"""Heading, path of the examples, and the section's name in the schema."""

_LONGEST = 60
_EXAMPLES: Mapping[str, Any] = {
    "name": "my-run",
    "matrix": {"optimizer.name": ["none", "auto_evol"]},
    "filters": ["dedup", {"top_mnd": 0.3}],
    "models.solver": "openai/gpt-4o-mini",
    "models.strong_solver": "openai/gpt-4o",
    "models.evolver.api_base": "http://localhost:8000/v1",
    "models.evolver.api_base.url": "http://localhost:8000/v1",
    "models.evolver.api_base.concurrency": 64,
    "models.evolver.api_base.weight": 2,
    "models.evolver.endpoint_id": "v2",
    "models.evolver.api_key_env": "MY_KEY",
    "models.evolver.price": {"input": 0.15, "output": 0.6},
    "models.evolver.price.input": 0.15,
    "models.evolver.price.output": 0.6,
    "models.evolver.price.cached": 0.075,
    "models.evolver.params": {"seed": 7},
    "models.evolver.fallbacks": ["openai/gpt-4o-mini"],
    "data.path": "my_data.json",
    "data.format": "sharegpt",
    "data.fields": {"instruction": "question"},
    "data.keep": ["topic", "source"],
    "data.where": {"lang": "ko"},
    "failure.rules": ["strict"],
    "failure.thresholds": {"bloated": {"times": 4}},
    "optimizer.storage": "sqlite:///study.db",
    "optimizer.temperatures": [0.4, 1.0],
    "evolve.schedule": [["deepen"], ["breadth"]],
    "evolve.until": {"words": [60, 200]},
    "evolve.methods.name": "constraints",
    "evolve.methods.language": "ko",
    "evolve.methods.words": 20,
    "evolve.methods.constraints": 2,
    "answer.prompt": "answer.txt",
    "scores.benchmarks": ["benchmark.jsonl"],
    "scores.reward_model": "OWNER/REWARD-MODEL",
    "filters.decontaminate.benchmarks": ["benchmark.jsonl"],
    "filters.band.score": "difficulty",
    "filters.band.low": 2,
    "filters.band.high": 4,
    "filters.top.score": "mnd",
    "filters.top.part": 0.3,
    "filters.diverse_subset.score": "complexity",
    "verify.preset": "autoif",
    "verify.constraints": "constraints.txt",
    "output.dir": "runs/mine",
    "output.formats": ["messages", "hf"],
}
"""Of keys whose type tells too little."""


def config_reference() -> str:
    """Return the page as Markdown."""
    schema = config_schema()
    parts = [_HEAD]
    for heading, path, name in _SECTIONS:
        section = schema["$defs"][name] if name else schema
        parts.append(f"## {heading}\n\n{_table(section, path)}")
    return "\n".join(parts)


def _table(section: Schema, path: str) -> str:
    required = set(section.get("required", ()))
    lines = ["| key | meaning | default | allowed | example |", "|---|---|---|---|---|"]
    for key, entry in section["properties"].items():
        dotted = f"{path}.{key}".lstrip(".")
        default = "required" if key in required else _default(entry)
        meaning, example = entry["description"], _example(dotted, entry)
        cells = (f"`{key}`", meaning, default, _allowed(entry), example)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _default(entry: Schema) -> str:
    if "$ref" in entry:
        return "see below"
    if "default" not in entry:
        return "–"
    text = _code(entry["default"])
    return text if len(text) <= _LONGEST else "see below"


def _allowed(entry: Schema) -> str:
    """Return what a key may hold: types, choices and bounds."""
    forms = list(dict.fromkeys(_forms(entry)))
    return " or ".join(forms)


def _forms(entry: Schema) -> Iterator[str]:
    if "anyOf" in entry or "oneOf" in entry:
        for part in entry.get("anyOf") or entry["oneOf"]:
            yield from _forms(part)
    elif "enum" in entry:
        yield ", ".join(f"`{choice}`" for choice in entry["enum"])
    elif "const" in entry:
        yield f"`{entry['const']}`"
    elif "$ref" in entry:
        yield "a section"
    else:
        yield _type(entry)


def _type(entry: Schema) -> str:
    kind = entry.get("type")
    if kind == "array":
        items = " or ".join(dict.fromkeys(_forms(entry.get("items", {})))) or "values"
        return f"a list of {items}" if "items" in entry else "a list of two numbers"
    names = {
        "string": "a text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "`true`, `false`",
        "null": "null",
        "object": "a mapping",
    }
    return names.get(str(kind), "anything") + _bounds(entry)


def _bounds(entry: Schema) -> str:
    low = entry.get("minimum", entry.get("exclusiveMinimum"))
    high = entry.get("maximum", entry.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    opening = "(" if "exclusiveMinimum" in entry else "["
    closing = ")" if "exclusiveMaximum" in entry or high is None else "]"
    return f" in {opening}{low:g}, {'∞' if high is None else f'{high:g}'}{closing}"


def _example(dotted: str, entry: Schema) -> str:
    """Return an example: ours, one of the shipped configs, or one that the type suggests."""
    if dotted in _EXAMPLES:
        return _code(_EXAMPLES[dotted])
    shipped = _shipped(dotted)
    value = shipped if shipped is not None else _suggested(entry)
    return "–" if value is None else _code(value)


def _shipped(dotted: str) -> Any:
    """Return the first value of a key in the shipped configs that is short enough."""
    for file in sorted(CONFIGS.glob("*.yaml")):
        node: Any = read_yaml(file)
        for key in dotted.split("."):
            node = node.get(key) if isinstance(node, dict) else None
        if node is not None and not isinstance(node, dict) and len(_code(node)) <= _LONGEST:
            return node
    return None


def _suggested(entry: Schema) -> Any:
    """Return a value that the type of a key allows, another one than the default if it can be."""
    if "$ref" in entry:
        return None
    default = entry.get("default")
    for form in entry.get("anyOf", [entry]):
        if "enum" in form:
            return next((choice for choice in form["enum"] if choice != default), default)
        if form.get("type") == "boolean":
            return not default
        if form.get("type") in ("integer", "number"):
            return default if default is not None else form.get("minimum") or 100
    return default


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"
