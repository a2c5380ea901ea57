"""Which of DSPy's errors another try can mend, and which leave a row unscored."""

from dspy.utils.exceptions import (
    AdapterParseError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)

TRANSPORT_ERRORS = (LMTransportError, LMTimeoutError, LMServerError, LMRateLimitError)
"""Another time the same call could go through."""


UNSCORED_ERRORS = (*TRANSPORT_ERRORS, AdapterParseError)
"""After these F cannot be told. The evolver's and the responder's own unparsable replies are caught
before; what is left of `AdapterParseError` is a judge's."""
