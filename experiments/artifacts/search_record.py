"""`steps.json`: a run's search and its methods as plain data, for the report."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autoevol.experiments.files.paths import read_text
from autoevol.experiments.files.reading import read_json
from autoevol.metrics import FailureRate
from autoevol.program.errors import ConfigError
from autoevol.program.records import Candidate, Evaluation, StepRecord
from autoevol.program.search.acceptance import pareto_front
from autoevol.signatures import Method, from_markdown

STEPS = "steps.json"
_METHOD = ("name", "instructions", "demonstrations", "thinking", "kind", "about")


@dataclass(frozen=True, slots=True)
class Measured:
    """A method on the dev rows.

    Attributes:
        method: Its id.
        rate: Lower is better.
        added_words: Mean content words added by the rows that passed, in [0, 20]; higher is better.
    """

    method: str
    rate: FailureRate
    added_words: float


@dataclass(frozen=True, slots=True)
class RecordedProposal:
    """One candidate of a step.

    Attributes:
        parent: Id of the method that it was made from.
        measured: None when it was rejected.
        rejected: Why; "" when it was measured.
    """

    operator: str
    parent: str
    measured: Measured | None
    rejected: str
    is_pruned: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class SearchStep:
    """One step: the best method before it, its proposals, the best method after it."""

    incumbent: Measured
    proposals: tuple[RecordedProposal, ...]
    best: Measured

    @property
    def accepted(self) -> RecordedProposal | None:
        """The proposal that took the incumbent's place; None: the incumbent stays."""
        if self.best.method == self.incumbent.method:
            return None
        best = (p for p in self.proposals if p.measured and p.measured.method == self.best.method)
        return next(best, None)


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """The search of a run, and the methods that were applied.

    Attributes:
        methods: All methods that the record names, by id.
        applied: Ids, the best first.
        start: Id of the initial method; None: there was no search.
        front: The Pareto front of failure rate, added words and the method's length.
        importances: How much each knob of the proposals mattered, in [0, 1]; see
            `program.search.policy.importances`.
    """

    methods: Mapping[str, Method]
    applied: Sequence[str]
    start: str | None = None
    steps: Sequence[SearchStep] = field(default_factory=tuple)
    front: Sequence[Measured] = field(default_factory=tuple)
    importances: Mapping[str, float] = field(default_factory=dict)

    @property
    def best(self) -> list[Method]:
        """The methods that were applied."""
        return [self.methods[identity] for identity in self.applied]

    def as_json(self) -> str:
        """Return the text of `steps.json`."""
        methods = {
            identity: {name: getattr(method, name) for name in _METHOD}
            for identity, method in self.methods.items()
        }
        tree = {
            "start": self.start,
            "applied": self.applied,
            "steps": [asdict(step) for step in self.steps],
            "front": [asdict(measured) for measured in self.front],
            "importances": self.importances,
            "methods": methods,
        }
        return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


def record_of(
    start: Method | None,
    steps: Sequence[StepRecord],
    applied: Sequence[Method],
    importances: Mapping[str, float],
) -> SearchRecord:
    """Return the record of a search that has just ended.

    Args:
        start: The initial method; None: there was no search.
        steps: In order; none where the search was skipped.
        applied: The methods that were applied, the best first.
        importances: Of the proposals' knobs.
    """
    candidates = [candidate for step in steps for candidate in step.candidates]
    methods = [
        *_measured_methods(steps),
        *(candidate.parent for candidate in candidates),
        *applied,
        *([start] if start else []),
    ]
    # A candidate that lost its race early was measured on some dev rows only: it cannot be compared
    # with the others, so it is not on the front.
    complete = [c.evaluation for c in candidates if c.evaluation and not c.is_pruned]
    first = [step.incumbent for step in steps[:1]]
    return SearchRecord(
        {method.id: method for method in methods},
        [method.id for method in applied],
        start.id if start else None,
        [_step(step) for step in steps],
        [_measured(evaluation) for evaluation in pareto_front([*first, *complete])],
        importances,
    )


def read_record(folder: Path) -> SearchRecord | None:
    """Return the record of a run's search; None: an older version made the folder.

    Raises:
        ConfigError: The file is not what a run writes.
    """
    file = folder / STEPS
    if not file.is_file():
        return None
    tree = read_json(file)
    try:
        return _read(tree)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(str(file), f"is not what a run writes there: {error!r}") from error


def best_alone(folder: Path) -> SearchRecord:
    """Return the record of a folder without `steps.json`: the applied method, no steps.

    Raises:
        ConfigError: The method's file is malformed.
    """
    file = folder / "methods" / "best.md"
    if not file.is_file():
        return SearchRecord({}, [])
    try:
        method = from_markdown(read_text(file, str(file), newline=""), name="best")
    except ValueError as error:
        raise ConfigError(str(file), str(error)) from error
    return SearchRecord({method.id: method}, [method.id])


def _measured_methods(steps: Sequence[StepRecord]) -> Iterable[Method]:
    for step in steps:
        yield from (step.incumbent.method, step.best.method)
        yield from (c.evaluation.method for c in step.candidates if c.evaluation)


def _step(step: StepRecord) -> SearchStep:
    proposals = tuple(_proposal(candidate) for candidate in step.candidates)
    return SearchStep(_measured(step.incumbent), proposals, _measured(step.best))


def _proposal(candidate: Candidate) -> RecordedProposal:
    return RecordedProposal(
        candidate.operator,
        candidate.parent.id,
        _measured(candidate.evaluation) if candidate.evaluation else None,
        candidate.rejected or "",
        candidate.is_pruned,
        candidate.verdict,
    )


def _measured(evaluation: Evaluation) -> Measured:
    words = round(evaluation.added_words, 4)
    return Measured(evaluation.method.id, evaluation.failure_rate, words)


def _read(tree: dict[str, Any]) -> SearchRecord:
    methods = {identity: _read_method(plain) for identity, plain in tree["methods"].items()}
    steps = [
        SearchStep(
            _read_measured(step["incumbent"]),
            tuple(_read_proposal(plain) for plain in step["proposals"]),
            _read_measured(step["best"]),
        )
        for step in tree["steps"]
    ]
    front = [_read_measured(plain) for plain in tree["front"]]
    # Folders of earlier versions have none.
    importances = {name: float(share) for name, share in tree.get("importances", {}).items()}
    record = SearchRecord(methods, tree["applied"], tree["start"], steps, front, importances)
    # The report looks methods up by id: a damaged file is found here, not by a KeyError there.
    named = [*record.applied, *(p.parent for step in steps for p in step.proposals)]
    unknown = [identity for identity in named if identity not in methods]
    if unknown:
        raise ValueError(f"no method {unknown[0]}")
    return record


def _read_method(plain: Mapping[str, Any]) -> Method:
    shown = tuple((before, after) for before, after in plain["demonstrations"])
    # Folders of earlier versions name no kind, and do not say what it does.
    kind, about = plain.get("kind", "depth"), plain.get("about", "")
    return Method(plain["name"], plain["instructions"], shown, plain["thinking"], kind, about=about)


def _read_measured(plain: Mapping[str, Any]) -> Measured:
    rate = FailureRate(plain["rate"]["failed"], plain["rate"]["scored"])
    return Measured(plain["method"], rate, float(plain["added_words"]))


def _read_proposal(plain: Mapping[str, Any]) -> RecordedProposal:
    measured = _read_measured(plain["measured"]) if plain["measured"] else None
    return RecordedProposal(**{**plain, "measured": measured})
