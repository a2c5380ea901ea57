"""The YAML of one experiment, parsed and checked; every default lives here, once."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from program.adapter import AdapterName
from program.errors import ConfigError
from program.generator import Choice, OnFailure

Count = Annotated[int, Field(ge=1)]
Size = Annotated[int, Field(ge=0)]
Temperature = Annotated[float, Field(ge=0, le=2)]
ROLES = ("evolver", "responder", "optimizer", "judge")
LEAST_ROWS = 3
"""One row each for train, dev and held-out."""

LIMITED_TRIALS = 2
"""`--limit N` also caps steps and candidates at this."""


_SECRET = re.compile(r"api[-_]?key|authorization|secret|password|access[-_]?token", re.IGNORECASE)
_CONCEALED = {"api_base", "params"}
"""Keys whose value may be a secret by mistake, so a message does not repeat it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PriceConfig(_Strict):
    """US dollars per million tokens; cached ones cost as much as others unless said."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    cached: Annotated[float, Field(ge=0)] | None = None


class EndpointConfig(_Strict):
    """Where a model is and how it may be asked.

    Attributes:
        model: A litellm name, `local/NAME`, `local/PATH.gguf` or `local/hf:OWNER/REPO/FILE`.
        api_key_env: Name of the environment variable with the key; never the key itself.
        timeout: Seconds until a call counts as lost.
        concurrency: Calls in flight; null: 16, or a local model's slots.
        context: Tokens of a local model's context; null: as its catalogue entry says.
        attempts: Tries of a call whose reply is lost, empty or cut off.
        backoff: Seconds; the wait before a second try is random up to this, and doubles from there.
        backoff_max: Seconds; longest wait between two tries.
        hedge_after: Seconds after which a call is made a second time; 0: never; null: 4 times the
            95th percentile of the latencies seen, at least 10.
        outage: Seconds to wait for an endpoint that has gone before the run stops.
        price: Replaces the one that litellm knows.
        params: Passed through to the provider.
    """

    model: Annotated[str, Field(min_length=1)]
    api_base: str | None = None
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    timeout: Annotated[float, Field(gt=0)] = 300.0
    concurrency: Count | None = None
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None
    context: Annotated[int, Field(ge=256)] | None = None
    attempts: Count = 10
    backoff: Annotated[float, Field(gt=0)] = 0.05
    backoff_max: Annotated[float, Field(gt=0)] = 30.0
    hedge_after: Annotated[float, Field(ge=0)] | None = None
    outage: Annotated[float, Field(ge=0)] = 600.0
    price: PriceConfig | None = None
    params: dict[str, Any] = Field(default_factory=dict)

    @field_validator("api_base")
    @classmethod
    def _open(cls, given: str | None) -> str | None:
        if given and urlsplit(given).username:
            raise ValueError("holds a password; keys come from the environment (api_key_env)")
        return given

    @field_validator("params")
    @classmethod
    def _keyless(cls, given: dict[str, Any]) -> dict[str, Any]:
        if key := _secret_key(given):
            raise ValueError(f"{key} holds a key; keys come from the environment (api_key_env)")
        return given


class ModelConfig(EndpointConfig):
    """A model in a role.

    Attributes:
        adapter: How its predictors write prompts; null: plain for one text output, else chat.
        fallbacks: Models that answer, in this order, when this one has spent its attempts; names,
            or endpoints with keys of their own. Sampling stays the role's.
    """

    temperature: Temperature | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Count | None = 2048
    adapter: AdapterName | None = None
    fallbacks: list[EndpointConfig] = []

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, list):
            return given
        return [{"model": each} if isinstance(each, str) else each for each in given]


class ModelsConfig(_Strict):
    """Models by role. A role without a `model` of its own is served by the one it falls back to.

    The responder falls back to the evolver; the optimizer to the evolver with the default
    `max_tokens` and the paper's sampling (temperature 0.6, top-p 0.95); the judge to the optimizer
    at temperature 0.
    """

    evolver: ModelConfig
    responder: ModelConfig
    optimizer: ModelConfig
    judge: ModelConfig

    @model_validator(mode="before")
    @classmethod
    def _fall_back(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("evolver"), dict):
            return given
        evolver = {"temperature": 0.0, **given["evolver"]}
        paper = {"temperature": 0.6, "top_p": 0.95}
        responder = _role(given.get("responder"), evolver, {})
        roomy = {key: value for key, value in evolver.items() if key != "max_tokens"}
        optimizer = _role(given.get("optimizer"), roomy, paper)
        sober = {"temperature": 0.0, "top_p": None, "adapter": None}
        judge = _role(given.get("judge"), optimizer, sober)
        return {
            **given,
            "evolver": evolver,
            "responder": responder,
            "optimizer": optimizer,
            "judge": judge,
        }


class FieldsConfig(_Strict):
    """Names of the columns that hold what a row needs."""

    instruction: str = "instruction"
    input: str | None = "input"
    response: str | None = "response"
    id: str | None = "id"
    root: str | None = "root"


class DataConfig(_Strict):
    """The seeds, and how many of them the search may use.

    Attributes:
        path: A JSON, JSONL, CSV or Parquet file, a folder of such, or a Hugging Face data set.
        split: Of a Hugging Face data set.
        train_size: Rows for the mini-batches; null: what is left of 2,000 (paper, footnote 1).
        limit: Use the first rows only.
    """

    path: Annotated[str, Field(min_length=1)]
    split: str = "train"
    fields: FieldsConfig = FieldsConfig()
    train_size: Size | None = None
    dev_size: Size = 50
    heldout_size: Size = 50
    limit: Count | None = None


class FailureConfig(_Strict):
    """Rules of F by stage: names of rule sets and rules; `-name` takes one out."""

    evolve: list[str] = ["strict"]
    respond: list[str] = ["strict"]

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "rules" not in given:
            return given
        rest = {key: value for key, value in given.items() if key != "rules"}
        return {"evolve": given["rules"], "respond": given["rules"], **rest}


class OptimizerConfig(_Strict):
    """The search; the defaults are the paper's. See `program.optimizer.SearchSettings`.

    Attributes:
        name: `none` applies `evolve.methods` as they are.
        initial_method: A method's name or a file; null: the one in `evolve.methods`.
        temperatures: Range of the proposals' temperature; null: `models.optimizer`'s.
    """

    name: Literal["auto_evol", "none"] = "auto_evol"
    steps: Count = 10
    batch_size: Count = 10
    trajectory_rounds: Count = 1
    candidates: Count = 5
    patience: Count = 3
    initial_method: str | None = None
    temperatures: tuple[Temperature, Temperature] | None = None
    tie_break: bool = True
    max_method_words: Count = 400
    max_stage_words: Count = 400

    @field_validator("temperatures")
    @classmethod
    def _rising(cls, given: tuple[float, float] | None) -> tuple[float, float] | None:
        if given and given[0] > given[1]:
            raise ValueError("must be a range [low, high]")
        return given


class EvolveConfig(_Strict):
    """The bulk phase. See `program.generator.GenerationSettings`.

    Attributes:
        methods: Names or files.
        respond: Whether evolved instructions are answered.
        input: `keep` carries a row's input along unchanged; `append` makes it part of the
            instruction before evolving.
    """

    methods: Annotated[list[str], Field(min_length=1)] = ["e0"]
    choice: Choice = "random"
    rounds: Count = 1
    attempts: Count = 1
    retry_temperature: Temperature = 0.7
    on_failure: OnFailure = "drop"
    respond: bool = True
    input: Literal["keep", "append"] = "keep"


class OutputConfig(_Strict):
    """Where the run's folder lies and which exports it gets besides `evolved.jsonl`."""

    dir: str | None = None
    formats: list[Literal["alpaca", "messages", "sharegpt"]] = []


class BudgetConfig(_Strict):
    """Caps of the whole run; null: none."""

    calls: Count | None = None
    tokens: Count | None = None
    usd: Annotated[float, Field(gt=0)] | None = None


class ExperimentConfig(_Strict):
    """Everything one run needs; two equal configs mean the same run."""

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    seed: int = 0
    models: ModelsConfig
    data: DataConfig
    failure: FailureConfig = FailureConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    evolve: EvolveConfig = EvolveConfig()
    output: OutputConfig = OutputConfig()
    budget: BudgetConfig = BudgetConfig()

    @model_validator(mode="after")
    def _answers_for_export(self) -> Self:
        if self.output.formats and not self.evolve.respond:
            raise ValueError("output.formats needs responses, evolve.respond is false")
        return self

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.output.dir or f"runs/{self.name}")

    @property
    def is_search(self) -> bool:
        """Whether the method is optimised before it is applied."""
        return self.optimizer.name != "none"

    @property
    def search_rows(self) -> tuple[int | None, int, int]:
        """Sizes of train, dev and held-out; zeros without a search."""
        data = self.data
        return (data.train_size, data.dev_size, data.heldout_size) if self.is_search else (0, 0, 0)


def load_config(
    path: Path, overrides: Sequence[str] = (), *, out: Path | None = None, limit: int | None = None
) -> ExperimentConfig:
    """Parse one YAML file.

    Args:
        path: The file.
        overrides: `a.b=c`; the value is read as YAML.
        out: Replaces `output.dir`.
        limit: Caps rows, batch, dev and held-out at N, steps and candidates at 2.

    Raises:
        ConfigError: Names the file and the key.
    """
    tree = _read(path)
    for override in overrides:
        _set(tree, override)
    if out is not None:
        tree["output"] = {**(tree.get("output") or {}), "dir": str(out)}
    try:
        config = ExperimentConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(*_explained(path, error)) from error
    return _limited(config, limit) if limit else config


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is no valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise ConfigError(str(path), "must be a mapping of keys")
    return tree


def _set(tree: dict[str, Any], override: str) -> None:
    dotted, sign, value = override.partition("=")
    if not sign or not dotted:
        raise ConfigError(f"--set {override}", "write --set key.subkey=value")
    *parents, last = dotted.split(".")
    node = tree
    for key in parents:
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise ConfigError(f"--set {override}", f"{key} is no group of keys")
        node = child
    try:
        node[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}", "the value is no valid YAML") from error


def _role(given: Any, base: dict[str, Any], sampling: dict[str, Any]) -> Any:
    if given is None:
        return {**base, **sampling}
    if not isinstance(given, dict):
        return given
    return {**sampling, **given} if "model" in given else {**base, **sampling, **given}


def _explained(path: Path, error: ValidationError) -> tuple[str, str]:
    first, *more = error.errors()
    key = ".".join(str(part) for part in first["loc"])
    tail = f" (and {len(more)} more)" if more else ""
    return f"{path}: {key or 'config'}", f"{_problem(first)}{tail}"


def _problem(detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        known = _known_keys(detail["loc"][:-1])
        close = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        return "unknown key" + (f"; did you mean {close[0]!r}?" if close else "")
    if detail["type"] == "missing":
        return "is required"
    if "api_key_env" in detail["loc"]:
        return "must be the name of an environment variable, not the key itself"
    if _CONCEALED & {*detail["loc"]}:
        return detail["msg"]
    return f"{detail['msg']}, got {detail['input']!r}"


def _secret_key(tree: Any) -> str | None:
    """Return the first key of a tree whose name says that its value is a secret."""
    if not isinstance(tree, dict):
        return None
    own = (str(key) for key in tree if _SECRET.search(str(key)))
    deeper = (found for value in tree.values() if (found := _secret_key(value)))
    return next(own, None) or next(deeper, None)


def _known_keys(path: Sequence[str | int]) -> list[str]:
    """Return the keys allowed at `path` in the schema."""
    model: Any = ExperimentConfig
    for part in path:
        model = EndpointConfig if isinstance(part, int) else _model_at(model, part)
    return [*model.model_fields, *(["rules"] if model is FailureConfig else [])]


def _model_at(model: Any, key: str) -> Any:
    annotation = model.model_fields[key].annotation
    return next(
        (each for each in get_args(annotation) if hasattr(each, "model_fields")), annotation
    )


def _limited(config: ExperimentConfig, n: int) -> ExperimentConfig:
    data, search = config.data, config.optimizer
    if config.is_search and n < LEAST_ROWS:
        raise ConfigError(f"--limit {n}", f"a search needs at least {LEAST_ROWS} rows")
    rows = min(data.limit or n, n)
    folder = config.output.dir or f"runs/{config.name}-limit-{n}"
    third = max(1, rows // 3)
    return config.model_copy(
        update={
            "data": data.model_copy(
                update={
                    "limit": rows,
                    "train_size": None,
                    "dev_size": min(data.dev_size, third),
                    "heldout_size": min(data.heldout_size, third),
                }
            ),
            "output": config.output.model_copy(update={"dir": folder}),
            "optimizer": search.model_copy(
                update={
                    "batch_size": min(search.batch_size, n),
                    "steps": min(search.steps, LIMITED_TRIALS),
                    "candidates": min(search.candidates, LIMITED_TRIALS),
                }
            ),
        }
    )
