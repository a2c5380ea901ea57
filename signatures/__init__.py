"""The prompts, declared: DSPy signatures and the named methods."""

from signatures.analyze import AnalyzeTrajectory
from signatures.evolve import (
    EvolveInput,
    EvolveInstruction,
    EvolveInstructionStepwise,
)
from signatures.judge import ChooseAnswer, JudgeDefects, JudgeEquality, JudgeEvolution
from signatures.methods import Method, from_markdown, shipped_methods, to_markdown
from signatures.optimize import MergeMethods, OptimizeMethod, ShortenMethod
from signatures.respond import RespondToInstruction
from signatures.scoring import (
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
