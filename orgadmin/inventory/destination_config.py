"""A destination's config as it may be kept: secrets as masks, and everything in one spelling.

OpenRouter answers with masks, says so of no key, and is free to leave defaults out, to spell keys otherwise
or to draw a mask otherwise tomorrow. None of that is a change that somebody made, and nothing of it may bring
a secret into a database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from orgadmin.inventory.destination_types import HEADERS, TYPES, Setting

MASK = "..."
SHORTEST_SHOWN = 12
# Of a key that no table knows, its name has to tell.
_SOUNDS_SECRET = re.compile(
    r"key|secret|token|passw|pwd|auth|credential|cookie|dsn|signature|bearer|jwt", re.I
)
_LOOKS_SECRET = re.compile(r"(?i)^(bearer|basic)\s|^(sk|pk|glc|phc|xaat|ghp|xox.)[-_]|^eyJ|^AKIA")
# Of a key that no table knows, a long word of letters and digits may be a secret, too.
_LOOKS_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_+/=.-]{24,}")
_DRAWN = re.compile(r"\.{3,}|…+|•+|\*{3,}")


def is_mask(text: str) -> bool:
    """Whether a text is (or holds) a mask: it is never sent back."""
    return _DRAWN.search(text) is not None


def masked(text: str) -> str:
    """The ends of a secret, as OpenRouter draws them: ``sk-l...AbCd``. A mask gets that form, a short secret
    shows nothing."""
    if not text:
        return ""
    if is_mask(text):
        ends = _DRAWN.split(text)
        return f"{ends[0][:4]}{MASK}{ends[-1][-4:] if ends[-1] else ''}"
    return f"{text[:4]}{MASK}{text[-4:]}" if len(text) >= SHORTEST_SHOWN else MASK


def kept_config(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a row holds of a config. Known keys get the spelling of the table, and a setting that is not said
    its default; strangers keep their own."""
    found: dict[str, Any] = {}
    for given, value in config.items():
        name = spelled(kind, given)
        if value is not None and not (name in found and given != name):
            found[name] = _kept(kind, name, value)
    known = TYPES[kind].settings if kind in TYPES else ()
    defaults = {one.name: one.default for one in known if one.default}
    said = {name: value for name, value in found.items() if value not in ("", {})}
    return dict(sorted({**defaults, **said}.items()))


def spelled(kind: str, name: str) -> str:
    """The table's spelling of a key: ``api_key`` is ``apiKey``."""
    known = TYPES[kind].settings if kind in TYPES else ()
    for one in (HEADERS, *(setting.name for setting in known)):
        if _plain(one) == _plain(name):
            return one
    return name


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def is_secret(kind: str, name: str) -> bool:
    """Whether a key's value is shown as a mask only."""
    if name == HEADERS:
        return True
    setting = TYPES[kind].setting(name) if kind in TYPES else None
    return setting.secret if setting else _SOUNDS_SECRET.search(name) is not None


def _kept(kind: str, name: str, value: Any) -> Any:
    setting: Setting | None = TYPES[kind].setting(name) if kind in TYPES else None
    if is_secret(kind, name):
        return hidden(value)
    if setting is not None and setting.carries_token:
        return host_of(value) if isinstance(value, str) else hidden(value)
    return shown(value, is_known=setting is not None, is_config=True)


def hidden(value: Any) -> Any:
    """Every text in it as a mask, numbers too: a PIN is a secret."""
    if isinstance(value, Mapping):
        return {str(name): hidden(one) for name, one in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [hidden(one) for one in value]
    return value if value is None or isinstance(value, bool) else masked(str(value))


def shown(value: Any, *, is_known: bool = False, is_config: bool = False) -> Any:
    """A value that is no secret by its name; what looks like one is hidden all the same, at any depth. In a
    config (``is_config``) a long random word does."""
    if isinstance(value, Mapping):
        return {
            str(name): hidden(one) if _SOUNDS_SECRET.search(str(name)) else shown(one, is_config=is_config)
            for name, one in sorted(value.items())
        }
    if isinstance(value, list | tuple):
        return [shown(one, is_config=is_config) for one in value]
    if isinstance(value, str):
        if "://" in value:
            # Of a type that nobody knows, the path may be what lets one in.
            is_hook = is_config and not is_known
            return host_of(value) if is_hook and _has_path(value) else without_credentials(value)
        return masked(value) if not is_known and _looks_secret(value, is_config=is_config) else value
    if value is None or isinstance(value, bool | int):
        return value
    return int(value) if value == int(value) else float(value)


def _looks_secret(text: str, *, is_config: bool) -> bool:
    is_random = is_config and _LOOKS_RANDOM.fullmatch(text) is not None
    return is_random or _LOOKS_SECRET.search(text) is not None


def _has_path(address: str) -> bool:
    try:
        return urlsplit(address).path not in ("", "/")
    except ValueError:
        return True


def host_of(address: str) -> str:
    """An address whose path may be the secret: ``https://hooks.example.com/...``."""
    if is_mask(address) and "://" not in address:
        return masked(address)
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return MASK
    return f"{parts.scheme}://{host}{port}/{MASK}" if host else masked(address)


def without_credentials(address: str) -> str:
    """An address without what it says before an @ or behind a question mark."""
    try:
        parts = urlsplit(address)
        user = f"{MASK}@" if "@" in parts.netloc else ""
        netloc = user + parts.netloc.rpartition("@")[2]
    except ValueError:
        return MASK
    rest = f"?{MASK}" if parts.query else ""
    return address if not (user or rest) else f"{parts.scheme}://{netloc}{parts.path}{rest}"
