"""DSPy's model errors by what they mean for a row: worth a retry, unscored, or refused."""

from dspy.utils.exceptions import (
    AdapterParseError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)

TRANSPORT_ERRORS = (LMTransportError, LMTimeoutError, LMServerError, LMRateLimitError)
"""The same call may succeed another time."""

CONNECTION_ERRORS = (*TRANSPORT_ERRORS, ConnectionError, TimeoutError)
"""The same with Python's own, which models from elsewhere may raise."""

UNSCORED_ERRORS = (*TRANSPORT_ERRORS, AdapterParseError)
"""After one of these F has no verdict. Unparsable replies of the evolver and the responder are
caught earlier and fail the row, so an `AdapterParseError` that arrives here is a judge's."""

ROW_ERRORS = (*UNSCORED_ERRORS, LMInvalidRequestError)
"""These concern one row; any other `LMError` would come back for every row, and ends the work."""


def problem_of(error: Exception) -> str:
    """Return a model error as one short line for a row's record."""
    return f"{type(error).__name__}: {str(error)[:200]}"
