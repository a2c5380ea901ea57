"""Stages 6 to 9: queries under constraints, their answers, what is kept, and rows for training."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import dspy
from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.metrics.verification.preference import VerifiedAnswer, preference_pairs
from autoevol.program.blocks import together
from autoevol.program.checks.checking import verdicts
from autoevol.program.draws import draw_number
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.records import Row
from autoevol.program.roles import Role, ask
from autoevol.program.sandbox import Sandbox
from autoevol.program.scoring.ratings import read_grade
from autoevol.program.verification.constraints import Constraint, sampling_temperature
from autoevol.program.verification.options import VerificationOptions
from autoevol.program.witnesses.exam import language_group
from autoevol.signatures.respond import RespondToInstruction
from autoevol.signatures.scoring import GRADED, RateAnswer
from autoevol.signatures.systems import under_system


@dataclass(frozen=True, slots=True)
class Task:
    """A query under a constraint.

    Attributes:
        id: The query's, a dash, the constraint's.
        query: The row that asks.
        constraint: What its answer has to keep.
    """

    query: Row
    constraint: Constraint

    @property
    def id(self) -> str:
        """Id of the row that comes of it."""
        return f"{self.query.id}-{self.constraint.id}"

    @property
    def instruction(self) -> str:
        """The query, then the constraint in a paragraph of its own."""
        return f"{self.query.prompt}\n\n{self.constraint.text}"


@dataclass(frozen=True, slots=True)
class AnsweredTask:
    """A task with its answers.

    Attributes:
        task: The query under the constraint.
        answers: Those that came, none twice.
        reasons: Why each of the answers asked for is not kept; "": it is.
    """

    task: Task
    answers: tuple[VerifiedAnswer, ...]
    reasons: tuple[str, ...]

    @property
    def kept(self) -> tuple[VerifiedAnswer, ...]:
        """The answers for which there is no reason, the best first."""
        kept = [a for a, why in zip(self.answers, self.reasons, strict=False) if not why]
        return tuple(sorted(kept, key=lambda answer: (-answer.rate, -(answer.grade or 0.0))))

    def pairs(self, options: VerificationOptions) -> list[tuple[VerifiedAnswer, VerifiedAnswer]]:
        """Return pairs of a preferred and a rejected answer."""
        return preference_pairs(self.answers, positive=options.positive, most=options.pairs)


def joined(
    constraints: Sequence[Constraint], queries: Sequence[Row], options: VerificationOptions
) -> list[Task]:
    """Stage 6: return each constraint under queries that are drawn for it.

    Those in its own group of languages come first; others serve where there are too few of them.
    """
    groups = [language_group(query.prompt, "") for query in queries]
    tasks = []
    for constraint in constraints:
        rng = random.Random(draw_number("queries", constraint.text))
        drawn = rng.sample(range(len(queries)), len(queries))
        own = language_group(constraint.text, "")
        drawn.sort(key=lambda number: groups[number] != own)
        tasks += [Task(queries[number], constraint) for number in drawn[: options.queries]]
    return tasks


async def answered(
    responder: Role, judge: Role | None, sandbox: Sandbox, task: Task, options: VerificationOptions
) -> AnsweredTask:
    """Stages 7 and 8: return a task with its answers, verified and graded.

    Args:
        responder: Answers.
        judge: Grades the answers that pass a verifier; None: nobody does.
        sandbox: Runs the verifiers.
        task: The query under the constraint.
        options: How many answers, and what is kept.
    """
    replies = await together([_reply(responder, task, n) for n in range(options.responses)])
    texts = list(dict.fromkeys(text for text in replies if text))
    answers = await _verified(sandbox, task.constraint, texts)
    if judge and options.grade_above is not None:
        answers = await together([_graded(judge, task, answer) for answer in answers])
    reasons = [_reason(answer, options, is_graded=judge is not None) for answer in answers]
    missing = ["no_reply" if not text else "duplicate" for text in _left_out(replies)]
    return AnsweredTask(task, tuple(answers), (*reasons, *missing))


def _left_out(replies: Sequence[str]) -> list[str]:
    """Return the replies that make no answer of their own: empty ones and repeated ones."""
    seen: set[str] = set()
    left = []
    for text in replies:
        if not text or text in seen:
            left.append(text)
        seen.add(text)
    return left


async def _reply(responder: Role, task: Task, number: int) -> str:
    try:
        prediction = await ask(
            _responding(task.query.system),
            responder,
            draw=draw_number("verified answer", task.id, number),
            temperature=sampling_temperature(responder),
            instruction=task.instruction,
        )
    except (*UNSCORED_ERRORS, LMInvalidRequestError):
        return ""
    return (prediction.response or "").strip()


def _responding(system: str) -> dspy.Predict:
    """Return the responder's predictor, under a row's system prompt if it has one."""
    signature = RespondToInstruction
    if system:
        signature = signature.with_instructions(under_system(signature.instructions, system))
    return dspy.Predict(signature)


async def _verified(
    sandbox: Sandbox, constraint: Constraint, texts: Sequence[str]
) -> list[VerifiedAnswer]:
    runs = await together([verdicts(sandbox, code, texts) for code in constraint.functions])
    passes = [
        [result.value if isinstance(result.value, bool) else None for result in run] for run in runs
    ]
    return [
        VerifiedAnswer(text, tuple(own[number] for own in passes))
        for number, text in enumerate(texts)
    ]


async def _graded(judge: Role, task: Task, answer: VerifiedAnswer) -> VerifiedAnswer:
    """Return the answer with a grade; one that passes no verifier is not worth a call."""
    if answer.rate == 0:
        return answer
    try:
        prediction = await ask(
            dspy.Predict(RateAnswer),
            judge,
            draw=draw_number("grade", task.id, answer.text),
            demos=[dspy.Example(**example) for example in GRADED],
            instruction=task.instruction,
            answer=answer.text,
        )
    except (*UNSCORED_ERRORS, LMInvalidRequestError):
        return answer
    return replace(answer, grade=read_grade(prediction.grade or ""))


def _reason(answer: VerifiedAnswer, options: VerificationOptions, *, is_graded: bool) -> str:
    if answer.rate == 0:
        return "verifier_failed"
    if options.grade_above is None or not is_graded:
        return ""
    if answer.grade is None:
        return "no_grade"
    return "" if answer.grade > options.grade_above else "low_grade"
