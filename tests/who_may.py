"""Who may what: every address of the project, and what each kind of person gets for GET and for POST."""

from __future__ import annotations

from collections.abc import Mapping

WHO = ("anonymous", "stranger", "member", "viewer", "admin", "owner")

# One answer each, in the order of WHO. "in": the view itself answered, whatever it made of an empty form;
# "login": sent to sign in.
EVERYBODY = "login 404 in  in  in  in"
READERS = "login 404 403 in  in  in"
KEEPERS = "login 404 in  403 in  in"
CHANGERS = "login 404 403 403 in  in"
OWNERS = "login 404 403 403 403 in"
CONNECTORS = "login 403 403 403 403 in"
SIGNED_IN = "login in  in  in  in  in"
NOBODY = "login 404 404 404 404 404"
THE_WORLD = "in    in  in  in  in  in"


def no(who: str) -> str:
    """Who would be let in is told that the method is wrong; the others learn no more than before."""
    return " ".join("405" if answer == "in" else answer for answer in who.split())


# The key, the rotation and the job are the member's own.
TABLE: Mapping[str, tuple[str, str]] = {
    "home": (SIGNED_IN, no(SIGNED_IN)),
    "theme": (no(THE_WORLD), THE_WORLD),
    "front:add": (CONNECTORS, CONNECTORS),
    "front:name": (SIGNED_IN, SIGNED_IN),
    "front:sign-in": (THE_WORLD, no(THE_WORLD)),
    "front:invitation": (THE_WORLD, no(THE_WORLD)),
    "front:accept": (THE_WORLD, THE_WORLD),
    "overview:show": (READERS, no(READERS)),
    "spend:filter": (EVERYBODY, no(EVERYBODY)),
    "policies:show": (READERS, no(READERS)),
    "guardrails:list": (READERS, no(READERS)),
    "guardrails:csv": (READERS, no(READERS)),
    "guardrails:detail": (READERS, no(READERS)),
    "guardrails:create": (CHANGERS, CHANGERS),
    "guardrails:edit": (CHANGERS, CHANGERS),
    "guardrails:delete": (CHANGERS, CHANGERS),
    "guardrails:raise-limit": (CHANGERS, CHANGERS),
    "guardrails:suggest": (CHANGERS, no(CHANGERS)),
    "guardrails:assign": (CHANGERS, CHANGERS),
    "guardrails:assign-start": (no(CHANGERS), CHANGERS),
    "presets:list": (READERS, no(READERS)),
    "presets:csv": (READERS, no(READERS)),
    "presets:detail": (READERS, no(READERS)),
    "presets:version": (READERS, no(READERS)),
    "presets:compare": (READERS, no(READERS)),
    "presets:create": (CHANGERS, CHANGERS),
    "presets:check": (no(CHANGERS), CHANGERS),
    "presets:edit": (CHANGERS, CHANGERS),
    "presets:restore": (CHANGERS, CHANGERS),
    "spend:panel": (EVERYBODY, no(EVERYBODY)),
    "spend:show": (EVERYBODY, no(EVERYBODY)),
    "credits:show": (READERS, no(READERS)),
    "catalog:list": (EVERYBODY, no(EVERYBODY)),
    "catalog:csv": (EVERYBODY, no(EVERYBODY)),
    "catalog:changes": (EVERYBODY, no(EVERYBODY)),
    "catalog:detail": (EVERYBODY, no(EVERYBODY)),
    "analytics:show": (READERS, no(READERS)),
    "analytics:builder": (READERS, no(READERS)),
    "analytics:run": (READERS, no(READERS)),
    "analytics:csv": (READERS, no(READERS)),
    "analytics:ask": (no(READERS), READERS),
    "analytics:asked": (READERS, no(READERS)),
    "analytics:asked-csv": (READERS, no(READERS)),
    "analytics:daily": (READERS, no(READERS)),
    "analytics:daily-csv": (READERS, no(READERS)),
    "analytics:saved": (READERS, no(READERS)),
    "analytics:save": (CHANGERS, CHANGERS),
    "analytics:saved-rename": (CHANGERS, CHANGERS),
    "analytics:saved-delete": (CHANGERS, CHANGERS),
    "spend:csv": (EVERYBODY, no(EVERYBODY)),
    "spend:reconciliation": (READERS, no(READERS)),
    "spend:explain": (CHANGERS, CHANGERS),
    "search:palette": (EVERYBODY, no(EVERYBODY)),
    "keys:list": (EVERYBODY, no(EVERYBODY)),
    "keys:csv": (EVERYBODY, no(EVERYBODY)),
    "keys:create": (KEEPERS, KEEPERS),
    "keys:bulk": (no(KEEPERS), KEEPERS),
    "keys:bulk-start": (no(KEEPERS), KEEPERS),
    "keys:rotations": (EVERYBODY, no(EVERYBODY)),
    "keys:rotation": (EVERYBODY, no(EVERYBODY)),
    "keys:retire": (no(KEEPERS), KEEPERS),
    "keys:detail": (EVERYBODY, no(EVERYBODY)),
    "keys:edit": (KEEPERS, KEEPERS),
    "keys:disable": (no(KEEPERS), KEEPERS),
    "keys:enable": (no(KEEPERS), KEEPERS),
    "keys:delete": (KEEPERS, KEEPERS),
    "keys:raise-limit": (CHANGERS, CHANGERS),
    "keys:rotate": (KEEPERS, KEEPERS),
    "budgets:list": (READERS, no(READERS)),
    "budgets:csv": (READERS, no(READERS)),
    "budgets:panel": (READERS, no(READERS)),
    "workspaces:list": (READERS, no(READERS)),
    "workspaces:csv": (READERS, no(READERS)),
    "workspaces:detail": (READERS, no(READERS)),
    "workspaces:create": (CHANGERS, CHANGERS),
    "workspaces:edit": (CHANGERS, CHANGERS),
    "workspaces:delete": (CHANGERS, CHANGERS),
    "workspaces:budgets": (CHANGERS, CHANGERS),
    "workspaces:budgets-panel": (READERS, no(READERS)),
    "workspaces:check-budgets": (CHANGERS, no(CHANGERS)),
    "workspaces:raise-budget": (CHANGERS, CHANGERS),
    "workspaces:members": (READERS, no(READERS)),
    "workspaces:add-members": (CHANGERS, CHANGERS),
    "workspaces:remove-members": (no(CHANGERS), CHANGERS),
    "members:list": (READERS, no(READERS)),
    "members:csv": (READERS, no(READERS)),
    "members:detail": (READERS, no(READERS)),
    "members:leaving": (CHANGERS, no(CHANGERS)),
    "members:leaving-start": (no(CHANGERS), CHANGERS),
    "auditlog:list": (READERS, no(READERS)),
    "auditlog:csv": (READERS, no(READERS)),
    "auditlog:entry": (READERS, no(READERS)),
    "auditlog:restore": (CHANGERS, CHANGERS),
    "syncs:list": (READERS, no(READERS)),
    "syncs:run": (no(CHANGERS), CHANGERS),
    "syncs:freshness": (EVERYBODY, no(EVERYBODY)),
    "syncs:progress": (READERS, no(READERS)),
    "syncs:jobs": (EVERYBODY, no(EVERYBODY)),
    "syncs:job": (EVERYBODY, no(EVERYBODY)),
    "syncs:job-progress": (EVERYBODY, no(EVERYBODY)),
    "syncs:job-items": (EVERYBODY, no(EVERYBODY)),
    "syncs:job-cancel": (no(KEEPERS), KEEPERS),
    "syncs:job-retry": (no(KEEPERS), KEEPERS),
    "connections:settings": (READERS, no(READERS)),
    "connections:rekey": (OWNERS, OWNERS),
    "connections:rename": (OWNERS, OWNERS),
    "connections:default-workspace": (OWNERS, OWNERS),
    "connections:check": (no(OWNERS), OWNERS),
    "connections:disconnect": (OWNERS, OWNERS),
    "connections:inference-key-add": (OWNERS, OWNERS),
    "connections:inference-key-replace": (OWNERS, OWNERS),
    "connections:inference-key-remove": (OWNERS, OWNERS),
    "connections:people": (READERS, no(READERS)),
    "connections:invite": (OWNERS, OWNERS),
    "connections:invitation-revoke": (no(OWNERS), OWNERS),
    "connections:role": (no(OWNERS), OWNERS),
    "connections:remove": (OWNERS, OWNERS),
    "nothing-here": (NOBODY, NOBODY),
}
