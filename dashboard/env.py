"""Typed, loud readers of the environment.

Every setting may be given as ``NAME`` or, for secrets mounted as files, as ``NAME_FILE`` (the file's
content, stripped). A value that cannot be understood stops the start with the variable's name.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent
# In the data folder, from the supervisor: "demo" or "up", the secrets it made, what it last started with.
KIND_FILE, SECRETS_FILE, STARTED_FILE = "kind", "secrets.env", "started.env"

env = Env(eager=True)


def read_files(data_dir: Path) -> None:
    """Add what ``.env`` and the data folder say, without overriding the environment.

    The demo's folder says all itself: beside a demo, a command meets no real data, whatever ``.env`` and the
    shell say.
    """
    own = (data_dir / SECRETS_FILE, data_dir / STARTED_FILE)
    if kind_of(data_dir) == "demo":
        for path in own:
            values = dotenv_values(path, interpolate=False)
            os.environ.update({name: value or "" for name, value in values.items()})
        return
    for path in (BASE_DIR / ".env", *own):
        if path.is_file():
            env.read_env(str(path), recurse=False, override=False)


def kind_of(data_dir: Path) -> str:
    """Whose data the folder holds, "demo" or "up"; empty where the supervisor has never been."""
    mark = data_dir / KIND_FILE
    return mark.read_text(encoding="utf-8").strip() if mark.is_file() else ""


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
