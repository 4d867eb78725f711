"""What can be done to organizations and their people."""

from __future__ import annotations

from orgadmin.accounts.sign_in_links import sign_in_link
from orgadmin.connections.services.change import (
    Checked,
    organization_check,
    organization_disconnect,
    organization_rekey,
    organization_rename,
    organization_set_default_workspace,
)
from orgadmin.connections.services.connect import organization_connect
from orgadmin.connections.services.invite import invitation_accept, invitation_revoke, person_invite
from orgadmin.connections.services.lend import inference_key_lend, inference_key_remove
from orgadmin.connections.services.people import person_remove, person_rename, person_set_role
from orgadmin.connections.services.prepare import (
    demo_password_file,
    demo_prepare,
    email_verify,
    owner_prepare,
)

__all__ = [
    "Checked",
    "demo_password_file",
    "demo_prepare",
    "email_verify",
    "inference_key_lend",
    "inference_key_remove",
    "invitation_accept",
    "invitation_revoke",
    "organization_check",
    "organization_connect",
    "organization_disconnect",
    "organization_rekey",
    "organization_rename",
    "organization_set_default_workspace",
    "owner_prepare",
    "person_invite",
    "person_remove",
    "person_rename",
    "person_set_role",
    "sign_in_link",
]
