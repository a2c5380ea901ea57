"""What all classes of the YAML share: unknown keys are errors, and settings are declared once.

A section whose keys are settings of the program inherits from `Section` and from the frozen
dataclass that declares them (name, type, bounds, default). Pydantic collects the fields of both;
`settings_from` turns a checked section into the program's own dataclass.

A path may start from the working folder or from the folder of the config's file, which the context
of a validation names.
"""

from collections.abc import Mapping
from dataclasses import Field as DataclassField
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, dataclass_transform, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from autoevol.experiments.files.data_sets import found_path

BESIDE = "beside"
"""What the context of a validation calls the folder of the config's file."""

_NO_SWITCH = PydanticCustomError("no_switch", "must not be true or false")


# Repeats what pydantic says of its own classes, but for `frozen_default`: type checkers let a
# frozen dataclass be inherited by frozen classes alone.
@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
class Section(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """A part of the config; an unknown key is an error.

    Attributes:
        shorthands: Keys that stand for several of its own.
    """

    shorthands: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _check_switches(cls, tree: Any) -> Any:
        # To pydantic, as to Python, `true` is the number 1.
        keys = cls.model_fields.keys() & tree.keys() if isinstance(tree, dict) else ()
        for key in sorted(keys):
            if _holds_switch(tree[key]) and not _takes_switch(cls.model_fields[key].annotation):
                wrong = InitErrorDetails(type=_NO_SWITCH, loc=(key,), input=tree[key])
                raise ValidationError.from_exception_data(cls.__name__, [wrong])
        return tree


def _holds_switch(value: Any) -> bool:
    if isinstance(value, dict | list | tuple):
        items = value.values() if isinstance(value, dict) else value
        return any(map(_holds_switch, items))
    return isinstance(value, bool)


def _takes_switch(annotation: Any) -> bool:
    """Tell whether a type may hold true or false, as far as it is known here."""
    if annotation in (bool, Any, object):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True  # it checks its own keys
    return any(map(_takes_switch, get_args(annotation)))


def with_preset(tree: Any, presets: Mapping[Any, Mapping[str, Any]]) -> Any:
    """Return the keys of a section over those of the preset that it names; others as they are."""
    name = tree.get("preset") if isinstance(tree, dict) else None
    return {**presets[name], **tree} if isinstance(name, str) and name in presets else tree


def _found(name: str, info: ValidationInfo) -> str:
    beside = (info.context or {}).get(BESIDE)
    # A run keeps its config elsewhere, from where the file has to be found, too.
    return found_path(name, beside) if beside else name


def _found_file(name: str, info: ValidationInfo) -> str:
    is_path = bool(Path(name).suffix) or "/" in name
    return _found(name, info) if is_path else name


LocalPath = Annotated[str, AfterValidator(_found)]
"""A file or folder, or the name of a data set."""

NameOrPath = Annotated[str, AfterValidator(_found_file)]
"""What ships under a name, or a file."""


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, DataclassField[Any]]]


Settings = TypeVar("Settings", bound=_Dataclass)


def values_of(section: Section, settings: type[_Dataclass]) -> dict[str, Any]:
    """Return the values of a section's keys that a dataclass of settings declares."""
    return {field.name: getattr(section, field.name) for field in fields(settings)}


def settings_from(section: Section, settings: type[Settings], **others: Any) -> Settings:
    """Return a dataclass of settings with the values of a section's keys.

    Args:
        section: Has a key for each field that `others` lacks.
        settings: The dataclass.
        others: Fields that the section does not have, or has in another form.
    """
    names = (field.name for field in fields(settings) if field.name not in others)
    return settings(**{name: getattr(section, name) for name in names}, **others)
