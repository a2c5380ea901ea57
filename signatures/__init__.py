"""The prompts, declared: DSPy signatures and the named methods."""

from autoevol.signatures.analyze import AnalyzeTrajectory
from autoevol.signatures.evolve import EvolveInput, EvolveInstruction, EvolveInstructionStepwise
from autoevol.signatures.judge import ChooseAnswer, JudgeDefects, JudgeEquality, JudgeEvolution
from autoevol.signatures.methods import Method, from_markdown, shipped_methods, to_markdown
from autoevol.signatures.optimize import MergeMethods, OptimizeMethod, ShortenMethod
from autoevol.signatures.respond import RespondToInstruction
from autoevol.signatures.scoring import (
    CompareAnswers,
    CompareInstructions,
    RankChain,
    RateAnswer,
    RateComplexity,
    RateDifficulty,
    SolveTask,
    TagIntentions,
)

__all__ = [
    "AnalyzeTrajectory",
    "ChooseAnswer",
    "CompareAnswers",
    "CompareInstructions",
    "EvolveInput",
    "EvolveInstruction",
    "EvolveInstructionStepwise",
    "JudgeDefects",
    "JudgeEquality",
    "JudgeEvolution",
    "MergeMethods",
    "Method",
    "OptimizeMethod",
    "RankChain",
    "RateAnswer",
    "RateComplexity",
    "RateDifficulty",
    "RespondToInstruction",
    "ShortenMethod",
    "SolveTask",
    "TagIntentions",
    "from_markdown",
    "shipped_methods",
    "to_markdown",
]
