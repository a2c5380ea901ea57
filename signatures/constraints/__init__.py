"""Constraints that code can check, in words: `kinds.yaml`, read by `kinds`."""

from autoevol.signatures.constraints.kinds import ConstraintKind, constraint_kinds

__all__ = ["ConstraintKind", "constraint_kinds"]
