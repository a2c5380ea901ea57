"""Evaluations with chosen verdicts, for the tests of the search."""

from autoevol.metrics import Reason
from autoevol.program.records import Evaluation, Outcome, Row
from autoevol.signatures import Method

FAILED, PASSED, UNSCORED = "x", ".", "?"


def evaluation(
    verdicts: str,
    *,
    text: str = "Rewrite the instruction into a harder one.",
    added: int | list[int] = 5,
    tokens: int = 30,
    rule: str = "answered",
    same_text: bool = False,
) -> Evaluation:
    """Return a method on rows, one for each sign: x failed, . passed, ? unscored."""
    outcomes = []
    for number, sign in enumerate(verdicts):
        source = Row(f"d{number}", f"d{number}", f"List {number} facts.")
        words = "alpha beta gamma" if same_text else f"alpha{number} beta{number} gamma{number}"
        row = Row(
            f"d{number}.1",
            f"d{number}",
            f"{source.instruction} Add {words}.",
            scores={"added_words": added if isinstance(added, int) else added[number]},
            usage={"tokens_out": tokens},
        )
        if sign == FAILED:
            reason = Reason(rule, "seen")
            outcomes.append(Outcome(source, row, "failed", "evolve", (reason,)))
        else:
            outcomes.append(Outcome(source, row, "kept" if sign == PASSED else "unscored"))
    return Evaluation(Method(text[:20], text), tuple(outcomes))
