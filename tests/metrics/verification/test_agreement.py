"""Functions and cases judge each other; answers make pairs."""

from autoevol.metrics.verification.agreement import cross_validated
from autoevol.metrics.verification.preference import VerifiedAnswer, preference_pairs

T, F, N = True, False, None


def test_a_case_needs_one_function_and_a_function_most_cases() -> None:
    expected = [T, F, T, F, T, T]
    results: list[list[bool | None]] = [
        [T, F, T, F, T, F],  # right on all kept cases
        [T, F, T, F, F, F],  # right on four of five
        [F, T, F, T, F, F],  # right on none
        [N, N, N, N, T, F],  # no bool on four
    ]
    agreement = cross_validated(results, expected, 0.8)
    assert agreement.cases == (0, 1, 2, 3, 4)  # nobody agrees with the last one
    assert agreement.functions == (0, 1)
    assert agreement.accuracies == (1.0, 0.8, 0.0, 0.2)


def test_where_nobody_agrees_nothing_is_kept() -> None:
    assert cross_validated([[F], [N]], [T], 0.8).functions == ()
    assert cross_validated([], [T], 0.8).cases == ()
    assert cross_validated([[], []], [], 0.8).cases == ()


def test_a_number_or_a_text_is_no_bool() -> None:
    results: list[list[bool | None]] = [[1, "True"]]  # type: ignore[list-item]
    assert cross_validated(results, [T, T], 0.5).functions == ()


def test_pairs_prefer_what_passes_to_what_passes_nothing() -> None:
    answers = [
        VerifiedAnswer("all", (T, T)),
        VerifiedAnswer("none", (F, F)),
        VerifiedAnswer("half", (T, F)),
        VerifiedAnswer("third", (T, F, F)),
        VerifiedAnswer("also none", (F, F)),
        VerifiedAnswer("refused by one, unseen by another", (F, N)),
        VerifiedAnswer("all again", (T, T)),
        VerifiedAnswer("unverified", ()),
    ]
    pairs = [(good.text, bad.text) for good, bad in preference_pairs(answers)]
    assert pairs == [
        ("all", "none"),
        ("all", "also none"),
        ("half", "none"),
        ("half", "also none"),
    ]
    assert preference_pairs(answers[2:4]) == []
    assert len(preference_pairs(answers, most=1)) == 1
