"""The retry rules, without a client: what is a failed attempt, the back-off, the fallback."""

from dataclasses import replace
from typing import Any

import pytest
from dspy.utils.exceptions import LMError, LMRateLimitError, LMServerError, LMTransportError

from autoevol.experiments.models.retries import RetryPolicy, failure_kind, reseeded
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.models.transports.errors import UnreachableError
from autoevol.experiments.models.transports.protocol import Response
from tests.support.wires import GOOD, REQUEST

EMPTY = Response(" ", "stop")
CUT_EARLY = Response("Because it", "length", tokens_out=3)
CUT_AT_LIMIT = Response("Because it is so and", "length", tokens_out=9)


def policy(*, has_fallback: bool = False, **settings: Any) -> RetryPolicy:
    defaults = {"model": "hosted_vllm/m", "role": "evolver", "attempts": 3}
    return RetryPolicy(ModelSettings(**{**defaults, **settings}), has_fallback)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (GOOD, None),
        (EMPTY, "empty"),
        (replace(EMPTY, finish_reason="filter"), None),
        (CUT_EARLY, "cut off"),
        (CUT_AT_LIMIT, None),
    ],
)
def test_a_reply_is_retried_for_a_reason(reply: Response, reason: str | None) -> None:
    assert policy().retry_reason(reply, REQUEST, 0) == reason


@pytest.mark.parametrize(("tokens", "reason"), [(1, "cut off"), (200, "cut off"), (300, None)])
def test_an_estimate_far_below_the_limit_is_believed(tokens: int, reason: str | None) -> None:
    reply = replace(CUT_EARLY, tokens_out=tokens, is_estimated=True)
    assert policy().retry_reason(reply, replace(REQUEST, max_tokens=1024), 0) == reason


@pytest.mark.parametrize(("earlier", "reason"), [(0, "cut off"), (1, None)])
def test_an_optimizer_that_reached_its_limit_gets_one_retry(
    earlier: int, reason: str | None
) -> None:
    assert policy(role="optimizer").retry_reason(CUT_AT_LIMIT, REQUEST, earlier) == reason


def test_the_last_attempt_is_accepted_unless_a_fallback_is_left() -> None:
    assert policy().retry_reason(EMPTY, REQUEST, 2) is None
    assert policy(has_fallback=True).retry_reason(EMPTY, REQUEST, 2) == "empty"


@pytest.mark.parametrize(
    ("error", "is_rate_limited", "counts"),
    [
        (LMServerError("500"), False, True),
        (LMServerError("500"), True, True),
        (LMRateLimitError("429"), False, True),
        (LMRateLimitError("429"), True, False),
        (UnreachableError("refused"), False, False),
    ],
)
def test_a_server_that_is_down_or_full_costs_no_attempt(
    error: LMError, is_rate_limited: bool, counts: bool
) -> None:
    assert policy().counts(error, is_rate_limited=is_rate_limited) == counts


@pytest.mark.parametrize("has_fallback", [True, False])
@pytest.mark.parametrize(
    ("retry_after", "is_blocked", "is_left"),
    [(None, False, False), (None, True, True), (29.0, False, False), (31.0, False, True)],
)
def test_a_fallback_answers_for_an_endpoint_that_is_blocked_or_asks_for_a_long_wait(
    has_fallback: bool, retry_after: float | None, is_blocked: bool, is_left: bool
) -> None:
    error = LMRateLimitError("429", retry_after=retry_after)
    rules = policy(has_fallback=has_fallback, backoff_max=30.0)
    assert rules.falls_back(error, is_blocked=is_blocked) == (is_left and has_fallback)


def test_the_back_off_grows_to_its_ceiling() -> None:
    rules = policy(backoff=1.0, backoff_max=4.0)
    longest = [max(rules.back_off_s(failures, None) for _ in range(500)) for failures in range(6)]
    ceilings = [0.0, 1.0, 2.0, 4.0, 4.0, 4.0]
    for seconds, ceiling in zip(longest, ceilings, strict=True):
        assert 0.9 * ceiling <= seconds <= ceiling


def test_the_servers_wait_is_the_least_back_off_up_to_the_outage() -> None:
    rules = policy(backoff=0.001, outage=60.0)
    assert rules.back_off_s(1, 7.0) == 7.0
    assert rules.back_off_s(1, 3600.0) == 60.0


def test_only_an_unusable_reply_changes_the_seed() -> None:
    assert reseeded(REQUEST, 0) is REQUEST
    assert reseeded(REQUEST, 2).seed == 9
    assert reseeded(replace(REQUEST, seed=None), 2).seed is None


def test_a_failure_is_counted_under_its_kind() -> None:
    assert failure_kind(LMRateLimitError("429")) == "rate limit"
    assert failure_kind(LMTransportError("lost")) != failure_kind(LMServerError("500"))
