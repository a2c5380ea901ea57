"""`autoevol init`: a config that fits a data set, or the folder of a new project."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.config.documentation.schema import EDITOR_LINE, FILE, schema_text
from autoevol.experiments.config.loading import read_yaml
from autoevol.experiments.config.scoring.scores import WEAK
from autoevol.experiments.config.shipped import CONFIGS, config_file
from autoevol.experiments.data.profile import Profile
from autoevol.experiments.files.atomic import refuse_existing, write_whole
from autoevol.experiments.tracking.config import SETTINGS_FILE, load_tracking
from autoevol.signatures.strict_yaml import dump_yaml

LOCAL_MODEL = "local/qwen2.5-coder-1.5b-instruct"
LEAST_FOR_A_SEARCH = 60
"""Rows from which dev and held-out have 20 each, so that a search can show anything."""

_HOSTED_TOKENS = 2048
_LEAST_TOKENS, _TOKENS_PER_WORD = 384, 6
"""Of a reply of a local model: room for a harder version of the longest instruction."""

_HOSTED_CALLS, _LOCAL_CALLS = 2000, 400
"""Of a search; a local model on two cores takes seconds a call."""

_HIDDEN_SYSTEM = "  show_system: false          # a small evolver follows a prompt that it sees"
_SMALL_CHANGES = (
    "  boldness: [sentence]        # a small model can improve no more of a method at a time"
)
_SETTINGS = """# Where runs are recorded; AutoEvol's own settings, MLflow itself reads no such file.
tracking_uri: sqlite:///mlflow.db   # relative to this file's folder
experiment: autoevol
"""
_KEYS = """# Copy to .env and fill in what you use; .env stays out of version control.
OPENAI_API_KEY=
ANTHROPIC_API_KEY=
DEEPSEEK_API_KEY=
HF_TOKEN=
"""
_IGNORED = ".env\nruns/\nmlflow.db\nmlruns/\n"


@dataclass(frozen=True, slots=True)
class NewConfig:
    """What a config is written for.

    Attributes:
        name: Of the run.
        data: Path or name of the data set.
        model: A litellm name, or `local/NAME`.
        system: A shipped config whose methods and rules are taken; None: a search from e0, or e0
            alone where there are few rows.
    """

    name: str
    data: str
    model: str
    system: str | None = None


def config_text(new: NewConfig, profile: Profile) -> str:
    """Return a commented config in YAML.

    Raises:
        ConfigError: There is no such system.
    """
    head = [EDITOR_LINE, f"# {profile.recognised.sentence}.", f"# {profile.sentence}."]
    if new.system:
        return "\n".join([*head, *_system_parts(new, profile)])
    return "\n".join([*head, *_own_parts(new, profile)])


def write_config(target: Path, text: str) -> None:
    """Write a config, and the schema beside it.

    Raises:
        ConfigError: The config exists already.
    """
    refuse_existing(target, hint="name another file with --out")
    write_whole(target, text)
    write_whole(target.parent / FILE, schema_text())


def write_settings() -> Path | None:
    """Write `mlflow.yaml` into the working folder; None: the runs made here have one already.

    Raises:
        ConfigError: The one that is there is malformed.
    """
    if load_tracking():
        return None
    write_whole(Path(SETTINGS_FILE), _SETTINGS)
    return Path(SETTINGS_FILE)


def write_project(folder: Path) -> list[Path]:
    """Write the files of a new project that are not there yet, and return them.

    Args:
        folder: Of the project; made where it is missing.
    """
    quickstart = CONFIGS / "quickstart.yaml"
    seeds = CONFIGS / "data" / "seeds_en_ko.jsonl"
    texts = {
        "config.yaml": quickstart.read_text("utf-8"),
        FILE: schema_text(),
        SETTINGS_FILE: _SETTINGS,
        ".env.example": _KEYS,
        ".gitignore": _IGNORED,
        "data/seeds_en_ko.jsonl": seeds.read_text("utf-8"),
    }
    files = [folder / name for name in texts if not (folder / name).exists()]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, texts[file.relative_to(folder).as_posix()])
    return files


def _own_parts(new: NewConfig, profile: Profile) -> list[str]:
    is_local = new.model.startswith("local/")
    start = "e0-shown" if is_local else "e0"
    longest = min(_HOSTED_TOKENS, profile.words[2] * _TOKENS_PER_WORD)
    tokens = max(_LEAST_TOKENS, longest) if is_local else _HOSTED_TOKENS
    models = [
        "models:",
        "  evolver:                    # rewrites; the other roles are served by it, too",
        f"    model: {new.model}",
        f"    max_tokens: {tokens:<14}# of a reply; one that is cut off fails",
    ]
    search = [
        "optimizer:                    # searches for a better method first; without this section",
        f"  name: auto_evol             # {start} is applied as it is",
        f"  initial_method: {start}",
        f"  max_calls: {_LOCAL_CALLS if is_local else _HOSTED_CALLS}              # of the search",
        *([_SMALL_CHANGES] if is_local else []),
    ]
    return [
        f"name: {_scalar(new.name)}",
        "seed: 7",
        "",
        *models,
        "",
        *_data_part(new, profile),
        "",
        "failure:",
        "  rules: [strict]             # F: what a rewrite and an answer must pass",
        "",
        *([*search, ""] if profile.rows >= LEAST_FOR_A_SEARCH else []),
        "evolve:",
        f"  methods: [{start}]",
        "  rounds: 1                   # generations",
        *([_HIDDEN_SYSTEM] if is_local and profile.recognised.systems else []),
        "",
        "output:",
        "  formats: [messages]         # also alpaca, sharegpt, llama_factory, trl, parquet, hf",
        "",
    ]


def _data_part(new: NewConfig, profile: Profile) -> list[str]:
    rejected = len(profile.recognised.rejected)
    fields = [f"    {key}: {_scalar(name)}" for key, name in profile.fields.items()]
    skipped = f"  invalid: skip               # {rejected} records make no row: rejected.jsonl"
    return [
        "data:",
        f"  path: {_scalar(new.data)}",
        *(["  fields:                     # the columns of the file", *fields] if fields else []),
        *([skipped] if rejected else []),
    ]


def _system_parts(new: NewConfig, profile: Profile) -> list[str]:
    """Return a shipped config with another name, other data and another model."""
    file = config_file(Path(new.system or ""))
    tree = read_yaml(file)
    lines = file.read_text("utf-8").splitlines()
    about = [line for line in lines[1:] if line.startswith("#")]
    data: dict[str, Any] = {"path": new.data}
    if profile.fields:
        data["fields"] = dict(profile.fields)
    if profile.recognised.rejected:
        data["invalid"] = "skip"
    models = {
        # The weak solver is to be weaker than the user's model.
        role: entry if role == WEAK else _with_model(entry, new.model)
        for role, entry in tree["models"].items()
    }
    whole = {**tree, "name": new.name, "models": models, "data": data}
    return [f"# Methods and rules of the shipped config {new.system}:", *about, dump_yaml(whole)]


def _with_model(entry: Mapping[str, Any], model: str) -> dict[str, Any]:
    tokens = {} if model.startswith("local/") else {"max_tokens": _HOSTED_TOKENS}
    own = {"model": model} if "model" in entry else {}
    return {**entry, **own, **({} if "max_tokens" not in entry else tokens)}


def _scalar(text: str) -> str:
    """Return a text as YAML has it, in quotes where it needs them."""
    return dump_yaml({"x": text}, width=10_000).removeprefix("x: ").strip()
