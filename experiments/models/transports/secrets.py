"""An API key, and how it is kept out of everything that is stored or printed."""

import base64
import re

LEAST = 8
"""Characters of the shortest key that is concealed: a shorter one occurs in texts by chance."""


class Secret:
    """An API key that a server may repeat in a message or a reply.

    Args:
        key: None: there is none.
    """

    def __init__(self, key: str | None) -> None:
        forms = [key, *_base64_forms(key)] if key and len(key) >= LEAST else []
        pattern = "|".join(re.escape(form) for form in forms)
        self._pattern = re.compile(pattern) if forms else None

    def concealed_in(self, text: str) -> str:
        """Return a text with `[key]` wherever the key stands, as it is or in base64."""
        return self._pattern.sub("[key]", text) if self._pattern else text


NO_SECRET = Secret(None)


def _base64_forms(key: str) -> set[str]:
    """Return what of the key's base64 does not depend on the bytes around it."""
    forms = set()
    for offset in range(3):
        data = b"\0" * offset + key.encode()
        # The first and the last group mix the key's bits with those of its neighbours.
        first, last = 4 if offset else 0, len(data) // 3 * 4
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(data).decode()[first:last])
    return {form for form in forms if len(form) >= LEAST}
