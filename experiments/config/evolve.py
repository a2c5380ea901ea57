"""The sections `evolve` and `answer`: how the whole set is evolved, and how it is answered."""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from autoevol.experiments.config.section import LocalPath, NameOrPath, Section
from autoevol.program.bounds import Count, Few, NonNegative
from autoevol.program.evolution.answering import AnswerSettings
from autoevol.program.evolution.generator import GenerationOptions
from autoevol.program.evolution.pipeline import InputHandling
from autoevol.program.evolution.rewriting import ContextName


class MethodConfig(Section):
    """A method: a bare name, or a mapping with its weight and its parameters.

    Attributes:
        name: Of a shipped method, or a file.
        weight: Its share under `choice: weighted`.
        language: Name or code of the language to write in.
        words: How many words to add.
        constraints: How many constraints to add.
    """

    name: NameOrPath
    weight: NonNegative = 1.0
    language: str | None = None
    words: int | str | None = None
    constraints: Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, tree: Any) -> Any:
        return {"name": tree} if isinstance(tree, str) else tree

    @model_serializer
    def _shortest(self) -> str | dict[str, Any]:
        others = self.parameters | ({} if self.weight == 1 else {"weight": self.weight})
        return {"name": self.name, **others} if others else self.name

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that are set, by name."""
        values = {name: getattr(self, name) for name in ("language", "words", "constraints")}
        return {name: value for name, value in values.items() if value is not None}


class UntilConfig(Section):
    """Stop evolving a row at a length.

    Attributes:
        words: [a, b]: a row of at least a words is not evolved further, a row of more than b words
            has failed.
        max_rounds: Stop after this many rounds, whatever the length.
    """

    words: tuple[Count, Count]
    max_rounds: Few = 10

    @model_validator(mode="after")
    def _rising(self) -> "UntilConfig":
        if self.words[0] > self.words[1]:
            raise ValueError("words must be a range [a, b]")
        return self


class EvolveConfig(Section, GenerationOptions):
    """The bulk phase; `GenerationOptions` in `program.evolution.generator` explains the other keys.

    Three keys have a meaning of their own in the YAML: `rounds` may be null, for as many rounds as
    `schedule` has, or 1; `children` may be one number; without `first_round`, rows of an earlier
    run go on in the round after their last, and all others begin in round 1. With a `first_round`
    above 1 the rows of the round before are evolved (`pool: all`: of all rounds before); with 1,
    all rows are new seeds, also those of an earlier run.

    Attributes:
        methods: Names or files, or mappings with parameters.
        schedule: The methods of each round, instead of `methods`; its last entry serves all later
            rounds.
        rounds: Generations; the paper's default is one. 0: the rows are answered as they are. null:
            as many as `schedule` has, or 1.
        first_round: Number of the first round. null: the round after the rows' last; 1 for rows of
            no run.
        children: Rewrites of a row in each round, a number or a list; its last number also serves
            all later rounds.
        until: Stop evolving a row at a length.
        target: Stop when so many rows are kept, filters included, in canonical order. The seeds are
            evolved in waves; kept rows beyond the target lie in `surplus.jsonl`. Exit code 3 where
            the seeds give fewer. null: all seeds are evolved.
        max_candidates: Most rewrites for the target, kept or not; null: as many as the seeds give.
        respond: Whether evolved instructions are answered.
        input: `keep` carries a row's input along unchanged; `append` makes it part of the
            instruction before evolving; `evolve` evolves it after the instruction, with one more
            call.
        context: `previous` shows the evolver the turns before the one to evolve, with their
            rewrites.
        show_system: Whether the evolver sees a row's system prompt. A small model may follow it in
            the place of rewriting (docs/data-tools.md); the responder is under it in any case.
        chunk_rows: Seeds that have a ledger and rows of their own, in `chunks/`: a run of more
            resumes without looking at what is finished. A run keeps the number that it began with.
        constraints: A `constraints.jsonl` of `autoevol verify`, of which `checks: 1` draws one for
            each row, with its verifiers; null: of the shipped kinds.
    """

    methods: list[MethodConfig] = Field(default=[MethodConfig(name="e0")], min_length=1)
    schedule: list[list[MethodConfig]] = Field(default=[])
    until: UntilConfig | None = None
    target: Count | None = None
    max_candidates: Count | None = None
    respond: bool = True
    input: InputHandling = "keep"
    context: ContextName = "none"
    show_system: bool = True
    chunk_rows: Count = 50_000
    constraints: LocalPath | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_source_of_rounds(cls, tree: Any) -> Any:
        """Resolve the short forms, and refuse two keys that say the same."""
        if not isinstance(tree, dict):
            return tree
        # A null is as good as no key here, so that the defaults below apply.
        nulls = (("rounds", None), ("first_round", None))
        tree = {key: value for key, value in tree.items() if (key, value) not in nulls}
        schedule, until = tree.get("schedule"), tree.get("until")
        if type(tree.get("children")) is int:
            tree["children"] = [tree["children"]]
        if schedule and "methods" in tree:
            raise ValueError("give methods or schedule, not both")
        if isinstance(schedule, list):
            tree["schedule"] = [item if isinstance(item, list) else [item] for item in schedule]
        if isinstance(until, dict):
            most = until.get("max_rounds", UntilConfig.model_fields["max_rounds"].default)
            # What is no number is pydantic's to refuse, where it was written.
            if isinstance(most, int) and tree.setdefault("rounds", most) != most:
                raise ValueError("until.max_rounds is the number of rounds; leave rounds out")
        elif schedule and isinstance(schedule, list):
            tree.setdefault("rounds", len(schedule))
        return tree

    @model_validator(mode="after")
    def _constraints_stay(self) -> "EvolveConfig":
        if self.checks and self.rounds > 1 and self.save == "all":
            raise ValueError(
                "checks adds constraints to rows that evolve no further; with several rounds, set "
                "save: last"
            )
        if self.checks and not self.rounds:
            raise ValueError("checks adds constraints to evolved rows, rounds is 0")
        if self.constraints is not None and self.checks != 1:
            raise ValueError("constraints: a row gets one of the file; set checks: 1")
        return self

    @model_validator(mode="after")
    def _something_to_do(self) -> "EvolveConfig":
        if not self.rounds and not self.respond:
            raise ValueError("neither evolves (rounds: 0) nor answers (respond: false)")
        if any(not entry for entry in self.schedule):
            raise ValueError("a round of schedule has no method")
        return self

    @model_validator(mode="after")
    def _possible_target(self) -> "EvolveConfig":
        if self.target and self.choice == "bandit":
            raise ValueError(
                "target stops after some seeds, and choice: bandit learns from all of them"
            )
        if self.max_candidates and not self.target:
            raise ValueError("max_candidates caps the way to a target; set target")
        return self

    @model_serializer(mode="wrap")
    def _methods_first(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the methods or the schedule, whichever applies, before the inherited fields.

        A config that is written can be read again, and reading refuses both keys at once.
        """
        tree: dict[str, Any] = serialise(self)
        if self.schedule:
            tree.pop("methods", None)
        return {key: tree[key] for key in ("methods", "schedule") if key in tree} | tree

    @property
    def has_first_round(self) -> bool:
        """Whether the first round's number is set; else the rows tell it."""
        return "first_round" in self.model_fields_set

    @property
    def entries(self) -> list[list[MethodConfig]]:
        """The methods of each round."""
        return self.schedule or [self.methods]


class AnswerConfig(Section, AnswerSettings):
    """How instructions are answered; `AnswerSettings` explains the other keys.

    Attributes:
        prompt: A file with the responder's instructions; null: AutoEvol's own.
        idk: Whether the responder may say that it does not know, with "IDK".
        sandbox: Where checks and tests run: "auto" is Monty, and bubblewrap for what Monty does not
            support.
    """

    prompt: LocalPath | None = None
    idk: bool = False
    sandbox: Literal["auto", "monty", "bwrap"] = "auto"
