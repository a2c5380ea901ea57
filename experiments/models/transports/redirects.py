"""Redirects: those that stay on the server are followed, others are refused by their target."""

from urllib.parse import urljoin, urlsplit

from autoevol.experiments.models.transports.errors import SettingError, quoted
from autoevol.experiments.models.transports.secrets import Secret

MOST_REDIRECTS = 3
_KEEPS_METHOD = (307, 308)
"""Statuses under which a POST stays a POST (RFC 9110); under others clients make it a GET."""


def is_followed(status: int, url: str, location: str | None) -> bool:
    """Tell whether a redirect of a POST is followed: to the same host, as safe as before."""
    if status not in _KEEPS_METHOD or not location:
        return False
    here, there = urlsplit(url), urlsplit(urljoin(url, location))
    is_as_safe = there.scheme == here.scheme or there.scheme == "https"
    return is_as_safe and there.hostname == here.hostname


def refusal(url: str, location: str | None, secret: Secret) -> SettingError:
    """Return the error of a redirect that is not followed."""
    target = quoted(urljoin(url, location or ""), secret)
    message = f"{url} redirects to {target}: set that address if you trust it"
    return SettingError(message, "redirect", is_certain=True)
