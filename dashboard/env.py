"""Typed, loud readers of the environment.

Every setting may be given as ``NAME`` or, for secrets mounted as files, as ``NAME_FILE`` (the file's
content, stripped). A value that cannot be understood stops the start with the variable's name.
"""

from __future__ import annotations

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=True)


def read_files(data_dir: Path) -> None:
    """Add what ``.env`` and the embedded secrets say, without overriding the environment."""
    for path in (BASE_DIR / ".env", data_dir / "secrets.env"):
        if path.is_file():
            env.read_env(str(path), recurse=False, override=False)


def secret(name: str, default: str | None = None) -> str:
    """The value of ``NAME``, else the content of the file ``NAME_FILE``, else the default.

    Raises ImproperlyConfigured when there is none, or when both are given.
    """
    direct, from_file = env.str(name, ""), env.str(f"{name}_FILE", "")
    if direct and from_file:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    if from_file:
        return _content(name, Path(from_file))
    if direct:
        return direct
    if default is None:
        raise ImproperlyConfigured(
            f"{name} is not set. `make up` makes one, in production you set it (.env.example); "
            "beside `make demo`, put DATA_DIR=var/demo in front of the command."
        )
    return default


def _content(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {path}, which cannot be read: {error.strerror}"
        ) from None


def whole(name: str, default: int, *, least: int, most: int) -> int:
    """An integer between two bounds, both included."""
    value = env.int(name, default)
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} is {value}; it must be between {least} and {most}.")
    return value
