"""`mlflow.yaml`: where runs are recorded. It is ours; MLflow reads no such file."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from autoevol.experiments.files.paths import read_text
from autoevol.experiments.tracking.database import (
    database_file,
    foreign_content,
    without_password,
)
from autoevol.program.errors import ConfigError
from autoevol.signatures.strict_yaml import YamlError, load_yaml

SETTINGS_FILE = "mlflow.yaml"

_KNOWN = re.compile(r"(sqlite|postgresql|mysql|mssql|https?|databricks|databricks-uc|file)\b")
"""Kinds of stores that MLflow has."""

_ROOT = Path(__file__).resolve().parents[2]


class TrackingConfig(BaseModel):
    """Where runs are recorded.

    Attributes:
        tracking_uri: Address of an MLflow store; a relative SQLite path starts at the file's
            folder.
        tags: Of every run.
        trace_sampling: 0: no call is traced. Any other share of [0, 1]: the calls that
            `TraceSelection` names are, whatever the share.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    tracking_uri: str = "sqlite:///mlflow.db"
    experiment: Annotated[str, Field(min_length=1, max_length=500)] = "autoevol"
    tags: dict[str, str] = Field(default_factory=dict)
    trace_sampling: Annotated[float, Field(ge=0, le=1)] = 0.05

    @field_validator("tracking_uri")
    @classmethod
    def _must_be_known(cls, uri: str) -> str:
        if not _KNOWN.match(uri):
            raise ValueError("must be an address like sqlite:///mlflow.db or http://host:5000")
        return uri

    @property
    def description(self) -> str:
        """A line for the plan: where a run would be recorded, or why it would not."""
        file = database_file(self.tracking_uri)
        problem = foreign_content(file) if file else None
        where = f"experiment {self.experiment} of {without_password(self.tracking_uri)}"
        return f"not tracked: {problem}" if problem else f"MLflow   {where}"


def load_tracking() -> TrackingConfig | None:
    """Read the settings of the working folder, else of the project; None: no tracking.

    Raises:
        ConfigError: The file is malformed; names the key.
    """
    file = next((p for p in (Path(SETTINGS_FILE), _ROOT / SETTINGS_FILE) if p.is_file()), None)
    if file is None:
        return None
    try:
        config = TrackingConfig.model_validate(load_yaml(read_text(file, str(file))) or {})
    except YamlError as error:
        raise ConfigError(str(file), str(error)) from error
    except ValidationError as error:
        detail = error.errors()[0]
        key = ".".join(str(part) for part in detail["loc"])
        raise ConfigError(f"{file}: {key}", detail["msg"].removeprefix("Value error, ")) from error
    return config.model_copy(
        update={"tracking_uri": _absolute(config.tracking_uri, file.resolve().parent)}
    )


def _absolute(uri: str, base: Path) -> str:
    """Anchor a relative SQLite path, so that it is the same store from every working folder."""
    prefix = "sqlite:///"
    if not uri.startswith(prefix) or uri.startswith(prefix + "/"):
        return uri
    return f"{prefix}{base / uri.removeprefix(prefix)}"
