"""What the benchmark's endpoint does: one flat record, set by command line or while it runs."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

FAULT_STATUS = {
    "rate_limited": 429,
    "server_error": 500,
    "timed_out": 408,
    "conflict": 409,
    "early": 425,
}
"""Faults that are a status."""

FAULTS = (*FAULT_STATUS, "torn", "empty", "cut", "dropped", "malformed", "wrong_shape")
"""Every fault that is drawn; each is the name of a share."""

CAP_KINDS = ("window", "fixed", "bucket")


@dataclass(frozen=True, slots=True)
class Settings:
    """How the endpoint answers chat requests.

    Attributes:
        latency: Seconds until a reply.
        jitter: At most so many seconds more, uniformly.
        seed: Of the draws of faults and jitter.
        rate_limited: Share of 429, in [0, 1] like every share; one request gets one fault.
        server_error: Share of 500.
        timed_out: Share of 408.
        conflict: Share of 409.
        early: Share of 425.
        torn: Share of 200 whose JSON ends in the middle, with the length of what is sent.
        empty: Share of 200 with an empty text.
        cut: Share of 200 with half of the text and finish_reason "length".
        dropped: Share of connections closed without a reply.
        malformed: Share of 200 with the body `[]`.
        wrong_shape: Share of 200 without choices.
        retry_after: Seconds in the Retry-After header of 429 and 503; None: no header.
        hangs: Numbers of the requests that hang, from 0, counted since the last reset.
        hang_s: Seconds that those wait before they are answered as any other.
        cap: Requests per second; above it 429 at once. None: no cap. Refused ones do not count.
        cap_kind: "window": the last second; "fixed": whole seconds since the start; "bucket": a
            token bucket that holds a tenth of a second, full at first.
        status: Every request gets this status; None or 200: as drawn.
        poison: A last user turn that contains it gets 500; "": none.
        too_long: A last user turn that contains it gets 400, context_length_exceeded.
        refused: A last user turn that contains it gets 400, invalid_request_error.
        same_seed: Every request is answered as if it had this seed; None: each has its own.
        size: Characters to which a text is padded with varied words; None: as it is.
        serves: What `GET /v1/models` names; "": there is nothing at that address.
    """

    latency: float = 0.0
    jitter: float = 0.0
    seed: int = 0
    rate_limited: float = 0.0
    server_error: float = 0.0
    timed_out: float = 0.0
    conflict: float = 0.0
    early: float = 0.0
    torn: float = 0.0
    empty: float = 0.0
    cut: float = 0.0
    dropped: float = 0.0
    malformed: float = 0.0
    wrong_shape: float = 0.0
    retry_after: float | None = None
    hangs: tuple[int, ...] = ()
    hang_s: float = 30.0
    cap: float | None = None
    cap_kind: str = "window"
    status: int | None = None
    poison: str = ""
    too_long: str = ""
    refused: str = ""
    same_seed: int | None = None
    size: int | None = None
    serves: str = ""

    def __post_init__(self) -> None:
        shares = [getattr(self, name) for name in FAULTS]
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("shares must be at least 0 and sum up to at most 1")
        if self.cap_kind not in CAP_KINDS:
            raise ValueError(f"cap_kind must be one of {', '.join(CAP_KINDS)}")

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return the settings with some of them replaced.

        Raises:
            ValueError: A name is no setting, or a value does not fit.
        """
        unknown = changes.keys() - _KINDS.keys()
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        try:
            return replace(self, **{name: _value(name, given) for name, given in changes.items()})
        except TypeError as error:
            raise ValueError(str(error)) from error

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON data."""
        return asdict(self)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give `parser` one option for each setting."""
    for name, kind in _KINDS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=_PARSERS[kind], metavar="X")


def from_options(options: argparse.Namespace) -> Settings:
    """Return the settings that were given as options."""
    given = {name: getattr(options, name) for name in _KINDS}
    return Settings().changed({name: value for name, value in given.items() if value is not None})


def as_options(changes: Mapping[str, Any]) -> list[str]:
    """Return settings as the options that give them."""
    return [
        f"--{name.replace('_', '-')}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in changes.items()
        if value is not None
    ]


def _numbers(given: str | Sequence[int]) -> tuple[int, ...]:
    """Read a list of whole numbers; as an option it is written `[1, 2]` or `1,2`."""
    if isinstance(given, str):
        return tuple(int(part) for part in given.strip("[] ").split(",") if part.strip())
    return tuple(int(part) for part in given)


_KINDS: dict[str, Any] = {field.name: field.type for field in fields(Settings)}
_PARSERS: dict[Any, Callable[[Any], Any]] = {
    int: int,
    int | None: int,
    float: float,
    float | None: float,
    str: str,
    tuple[int, ...]: _numbers,
}


def _value(name: str, given: Any) -> Any:
    if given is None and getattr(_DEFAULTS, name) is None:
        return None
    return _PARSERS[_KINDS[name]](given)


_DEFAULTS = Settings()
