"""The prompts, declared: DSPy signatures and the named methods."""

from autoevol.signatures.analyze import AnalyzeTrajectory, ReviewMethod
from autoevol.signatures.evolve import EvolveInput, EvolveInstruction, EvolveInstructionStepwise
from autoevol.signatures.judge import ChooseAnswer, JudgeDefects, JudgeEquality, JudgeEvolution
from autoevol.signatures.methods import Method, from_markdown, shipped_methods, to_markdown
from autoevol.signatures.optimize import (
    MergeMethods,
    OptimizeMethod,
    RewriteSection,
    RewriteWhole,
    ShortenMethod,
)
from autoevol.signatures.programs import AnalyzeRuns, MergeSteps, OptimizeStep, ShortenStep
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
from autoevol.signatures.verification import (
    CompareConstraints,
    DescribeVerifier,
    ProposeConstraints,
    WriteTests,
    WriteVerifier,
)
from autoevol.signatures.witness import (
    JudgeAddedDemand,
    JudgeDemand,
    JudgeSolvability,
    TryTask,
    WorkTask,
)

__all__ = [
    "AnalyzeRuns",
    "AnalyzeTrajectory",
    "ChooseAnswer",
    "CompareAnswers",
    "CompareConstraints",
    "CompareInstructions",
    "DescribeVerifier",
    "EvolveInput",
    "EvolveInstruction",
    "EvolveInstructionStepwise",
    "JudgeAddedDemand",
    "JudgeDefects",
    "JudgeDemand",
    "JudgeEquality",
    "JudgeEvolution",
    "JudgeSolvability",
    "MergeMethods",
    "MergeSteps",
    "Method",
    "OptimizeMethod",
    "OptimizeStep",
    "ProposeConstraints",
    "RankChain",
    "RateAnswer",
    "RateComplexity",
    "RateDifficulty",
    "RespondToInstruction",
    "ReviewMethod",
    "RewriteSection",
    "RewriteWhole",
    "ShortenMethod",
    "ShortenStep",
    "SolveTask",
    "TagIntentions",
    "TryTask",
    "WorkTask",
    "WriteTests",
    "WriteVerifier",
    "from_markdown",
    "shipped_methods",
    "to_markdown",
]
