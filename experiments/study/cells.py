"""Equal parts of the arms: each is trained on with every seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autoevol.experiments.config.study import Condition, StudyConfig
from autoevol.experiments.training.examples import Example, ExampleSet, first_rows
from autoevol.experiments.training.student import Readable
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of an arm.

    Attributes:
        arm: Its name.
        condition: `rows`, `tokens`, `all`, or `curve-N`.
        data: The examples.
        rows: Of how many rows.
        tokens: Of all examples, prompts included.
        folder: Gets a training for each seed; equal parts of an arm share one.
    """

    arm: str
    condition: str
    data: ExampleSet
    rows: int
    tokens: int
    folder: Path

    @property
    def name(self) -> str:
        """Arm and condition."""
        return f"{self.arm}, {self.condition}"


@dataclass(frozen=True, slots=True)
class ArmData:
    """The examples of an arm, without leaks.

    Attributes:
        readable: In the drawn order, of which a part takes the first.
        left_out: Rows that make no example, by reason.
        responders: Names of the models that wrote the answers, as far as the rows tell.
    """

    readable: Readable
    left_out: Mapping[str, int]
    responders: frozenset[str]

    @property
    def examples(self) -> tuple[Example, ...]:
        """In the drawn order."""
        return self.readable.examples

    @property
    def rows(self) -> int:
        """How many rows the examples are of."""
        return len({example.row for example in self.examples})

    def tokens_in(self, examples: Sequence[Example]) -> int:
        """Return the tokens of some of the examples, prompts included."""
        pairs = zip(self.examples, self.readable.tokens, strict=True)
        by_turn = {(example.row, example.turn): tokens for example, tokens in pairs}
        return sum(by_turn[example.row, example.turn] for example in examples)


def cells_of(config: StudyConfig, arms: Mapping[str, ArmData]) -> list[Cell]:
    """Return the parts of all arms: each condition for each arm, then the curve.

    Raises:
        ConfigError: The arms are of different size and nothing is equalised, or the curve asks
            for more rows than an arm has.
    """
    for name, arm in arms.items():
        if not arm.examples:
            raise ConfigError(f"arms.{name}", "has no row to train on")
    least_rows = min(arm.rows for arm in arms.values())
    least_tokens = min(sum(arm.readable.tokens) for arm in arms.values())
    _check_sizes(config, arms, least_rows)
    cells = []
    for condition in config.equalise:
        for name, arm in arms.items():
            examples = _part(condition, arm, least_rows, least_tokens)
            if not examples:
                problem = f"its first row has more than the {least_tokens:,} tokens of the smallest"
                raise ConfigError(f"arms.{name}", f"{problem} arm; name rows alone in equalise")
            cells.append(_cell(config.folder, name, condition, examples, arm))
    for count in config.curve:
        for name, arm in arms.items():
            examples = first_rows(arm.examples, count)
            cells.append(_cell(config.folder, name, f"curve-{count}", examples, arm))
    return cells


def _check_sizes(config: StudyConfig, arms: Mapping[str, ArmData], least: int) -> None:
    if "all" in config.equalise and any(arm.rows != least for arm in arms.values()):
        sizes = ", ".join(f"{name} {arm.rows:,}" for name, arm in arms.items())
        raise ConfigError(
            "equalise", f"the arms have different numbers of rows ({sizes}); name rows or tokens"
        )
    if any(count > least for count in config.curve):
        raise ConfigError("curve", f"asks for {max(config.curve):,} rows; an arm has {least:,}")


def _part(condition: Condition, arm: ArmData, rows: int, tokens: int) -> Sequence[Example]:
    if condition == "rows":
        return first_rows(arm.examples, rows)
    if condition == "tokens":
        return arm.readable.within(tokens).examples
    return arm.examples


def _cell(
    folder: Path, name: str, condition: str, examples: Sequence[Example], arm: ArmData
) -> Cell:
    data = ExampleSet(tuple(examples), {})
    rows = len({example.row for example in examples})
    # By its content: a part that two conditions share is trained on once.
    place = folder / "arms" / name / f"{rows}-rows-{data.fingerprint[:8]}"
    return Cell(name, condition, data, rows, arm.tokens_in(examples), place)
