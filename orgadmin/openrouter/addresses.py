from __future__ import annotations

from urllib.parse import quote, urlsplit


def path(*segments: str) -> str:
    """A path below the base URL in which each segment stays one segment, whatever an id contains.

    Raises ValueError for an empty segment, `.` and `..`: a server or proxy may fold those away even when
    quoted.
    """
    if any(segment in ("", ".", "..") for segment in segments):
        raise ValueError("An id in a path is never empty and never made of dots alone.")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def checked_base_url(base_url: str) -> str:
    """The base URL without its trailing slash. ValueError unless it is plain http(s) with a host and nothing
    secret in it.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("A base URL starts with http:// or https:// and names a host.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("A base URL holds no user, password, query or fragment.")
    _ = parts.port  # raises ValueError when it is not a port
    return base_url.rstrip("/")
