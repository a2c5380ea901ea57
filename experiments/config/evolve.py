"""How the whole set is evolved and answered, as the YAML says it."""

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from autoevol.experiments.config.section import Section
from autoevol.program.bounds import Count, NonNegative
from autoevol.program.evolution.answering import AnswerSettings
from autoevol.program.evolution.generator import GenerationOptions
from autoevol.program.evolution.pipeline import InputHandling
from autoevol.program.evolution.rewriting import ContextName


class MethodConfig(Section):
    """A method with what is said of it beside its name.

    Attributes:
        name: Of a shipped method, or a file.
        weight: Its share under `choice: weighted`.
        language: Name or code of the language to write in.
        words: How many words to add.
        constraints: How many constraints to add.
    """

    name: str
    weight: NonNegative = 1.0
    language: str | None = None
    words: int | str | None = None
    constraints: Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @model_serializer
    def _as_given(self) -> str | dict[str, Any]:
        more = self.parameters | ({} if self.weight == 1 else {"weight": self.weight})
        return {"name": self.name, **more} if more else self.name

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that are set, by name."""
        given = {name: getattr(self, name) for name in ("language", "words", "constraints")}
        return {name: value for name, value in given.items() if value is not None}


class UntilConfig(Section):
    """The length at which a row's way ends.

    Attributes:
        words: [a, b]: a row with a words or more goes no further, one with more than b has failed.
        max_rounds: Rows that are still shorter end here.
    """

    words: tuple[Count, Count]
    max_rounds: Count = 10

    @model_validator(mode="after")
    def _rising(self) -> "UntilConfig":
        if self.words[0] > self.words[1]:
            raise ValueError("words must be a range [a, b]")
        return self


class EvolveConfig(Section, GenerationOptions):
    """The bulk phase; `GenerationOptions` in `program.evolution.generator` explains the other keys.

    Attributes:
        methods: Names or files, or such with parameters.
        schedule: The methods of each round, in the place of `methods`; the last entry serves the
            rounds behind it.
        until: Stop evolving a row at a length.
        respond: Whether evolved instructions are answered.
        input: `keep` carries a row's input along unchanged; `append` makes it part of the
            instruction before evolving; `evolve` lets it follow the instruction, a call more.
        context: `previous` shows the evolver the turns before the one to evolve, with their
            rewrites.
    """

    methods: list[MethodConfig] = Field(default=[MethodConfig(name="e0")], min_length=1)
    schedule: list[list[MethodConfig]] = Field(default=[])
    until: UntilConfig | None = None
    respond: bool = True
    input: InputHandling = "keep"
    context: ContextName = "none"

    @model_validator(mode="before")
    @classmethod
    def _one_source_of_rounds(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        tree = {key: value for key, value in given.items() if (key, value) != ("rounds", None)}
        schedule, until = tree.get("schedule"), tree.get("until")
        if isinstance(tree.get("children"), int):
            tree["children"] = [tree["children"]]
        if schedule and "methods" in tree:
            raise ValueError("give methods or schedule, not both")
        if isinstance(schedule, list):
            tree["schedule"] = [each if isinstance(each, list) else [each] for each in schedule]
        if isinstance(until, dict):
            most = until.get("max_rounds", UntilConfig.model_fields["max_rounds"].default)
            if tree.setdefault("rounds", most) != most:
                raise ValueError("until.max_rounds is the number of rounds; leave rounds out")
        elif schedule:
            tree.setdefault("rounds", len(schedule))
        return tree

    @model_validator(mode="after")
    def _something_to_do(self) -> "EvolveConfig":
        if not self.rounds and not self.respond:
            raise ValueError("neither evolves (rounds: 0) nor answers (respond: false)")
        if any(not entry for entry in self.schedule):
            raise ValueError("a round of schedule has no method")
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
    def entries(self) -> list[list[MethodConfig]]:
        """The methods of each round."""
        return self.schedule or [self.methods]

    @property
    def weights(self) -> dict[str, float]:
        """Shares by the name of a shipped method or a file's."""
        return {entry.name: entry.weight for entries in self.entries for entry in entries}


class AnswerConfig(Section, AnswerSettings):
    """How instructions are answered; `AnswerSettings` explains the other keys.

    Attributes:
        prompt: A file with what the responder is told; null: AutoEvol's own.
        idk: Whether the responder may say that it does not know, with "IDK".
    """

    prompt: str | None = None
    idk: bool = False
