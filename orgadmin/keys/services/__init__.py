"""What can be done to keys. Each act: an audit entry, one change at OpenRouter, its outcome, our row."""

from __future__ import annotations

from orgadmin.keys.services.create import Created, CreateLost, key_create
from orgadmin.keys.services.delete import key_delete
from orgadmin.keys.services.rotate import key_rotate, rotation_retire
from orgadmin.keys.services.update import (
    EditConflict,
    Locked,
    key_raise_limit,
    key_set_disabled,
    key_update,
    own_key_set_disabled,
)

__all__ = [
    "CreateLost",
    "Created",
    "EditConflict",
    "Locked",
    "key_create",
    "key_delete",
    "key_raise_limit",
    "key_rotate",
    "key_set_disabled",
    "key_update",
    "own_key_set_disabled",
    "rotation_retire",
]
