"""Draw numbers: which of the many possible replies to one prompt a call asks for.

A draw is a pure function of coordinates (row, round, attempt; or step, candidate), never a counter
in order of completion, so that a resumed or re-ordered run asks for the same replies.
"""

import hashlib
import json

DRAWS = 2**31
"""Draw numbers lie below this."""


def draw_number(*coordinates: str | int) -> int:
    """Return the draw of `coordinates`, an integer in [0, 2**31)."""
    # JSON keeps ("a", "bc") apart from ("ab", "c"), and "1" from 1. The shift leaves 31 bits: a
    # draw is also sent as a seed, and has to fit every provider's.
    digest = hashlib.blake2b(json.dumps(coordinates).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1
