"""The section `verify`: the nine stages that make verified data."""

from typing import Any, Literal, Self

from pydantic import model_validator

from autoevol.experiments.config.section import LocalPath, Section, with_preset
from autoevol.program.verification.options import PRESETS, PresetName, VerificationOptions

CASES_A_SAMPLE = 3
"""Cases that a verifier is asked for."""


class VerifyConfig(Section, VerificationOptions):
    """The nine stages; `VerificationOptions` explains the numbers.

    Attributes:
        preset: A published system, whose numbers hold where the section names none; null: ours.
        constraints: A file of seed constraints, one a line; null: none, `kinds` or proposals alone.
        nli: A sequence classifier of transformers with a label "contradiction", which compares
            constraints in place of the judge (extra `[scores]`) and has to pass the same exam;
            null: the judge does.
        sandbox: Where verifiers run: "auto" is Monty, and bubblewrap for what Monty does not
            support; "none" needs `--allow-unsandboxed`.
    """

    preset: PresetName | None = None
    constraints: LocalPath | None = None
    nli: str | None = None
    sandbox: Literal["auto", "monty", "bwrap", "none"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, tree: Any) -> Any:
        return with_preset(tree, PRESETS)

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        written = self.samples * CASES_A_SAMPLE
        if self.least_functions > self.samples:
            raise ValueError(
                f"least_functions is {self.least_functions}, but samples writes {self.samples}: "
                "no constraint could pass"
            )
        if self.least_cases > written:
            raise ValueError(
                f"least_cases is {self.least_cases}, but {self.samples} samples write about "
                f"{written}: no constraint could pass"
            )
        if self.nli is not None and not self.descriptions:
            raise ValueError("nli compares descriptions, and descriptions is 0")
        if not (self.constraints or self.proposals or self.kinds):
            raise ValueError("needs constraints, proposals or kinds")
        return self
