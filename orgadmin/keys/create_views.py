"""Creating a key, and the one page that shows its secret."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.http import HttpResponse

from orgadmin.access import OrgRequest, allow
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.inventory.acts import CarryOn
from orgadmin.inventory.models import Key
from orgadmin.keys.forms import KeyForm
from orgadmin.keys.models import Rotation
from orgadmin.keys.selectors import choices, own_members, visible_keys
from orgadmin.keys.services import Created, CreateLost, key_create
from orgadmin.keys.views import ACT
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.pages import explained, respond

Options = Sequence[tuple[str, str]]


@allow(*ACT, methods=("GET", "POST"), proof=True)
def create(request: OrgRequest) -> HttpResponse:
    workspaces, owners = offered(request)
    if request.method == "GET":
        initial = {"form_token": uuid.uuid4(), "workspace": _preferred(request, workspaces)}
        return _sheet(request, KeyForm(workspaces=workspaces, owners=owners, initial=initial))
    form = KeyForm(request.POST, workspaces=workspaces, owners=owners)
    if not form.is_valid():
        return _sheet(request, form, status=400)
    try:
        made = key_create(
            actor=request.user,
            organization=request.organization,
            draft=form.draft(),
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted as error:
        return already_sent(request, error)
    except CreateLost as error:
        if not may_try_again(form, error):
            return lost(request, error)
        return _sheet(request, form, status=502, fresh_token=True)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "No key was created."))
        return _sheet(request, form, status=400 if error.status == 400 else 502, fresh_token=True)
    return reveal(request, made)


def offered(request: OrgRequest) -> tuple[Options, Options]:
    """The workspaces and owners this person may choose.

    Administrators choose freely. A member makes keys for themselves, where they already hold one or in the
    default workspace, to which every member of an organization belongs (FACTS 3.1).
    """
    found = choices(request.organization)
    if request.reads_all:
        workspaces = [(row.uid, row.name) for row in found.workspaces]
        return workspaces, [
            ("", "No owner: a workspace key"),
            *((row.uid, str(row)) for row in found.members),
        ]
    held = set(visible_keys(request).filter(gone_at=None).values_list("workspace_uid", flat=True))
    held.add(request.organization.default_workspace_uid)
    return (
        [(row.uid, row.name) for row in found.workspaces if row.uid in held],
        [(row.uid, str(row)) for row in own_members(user=request.user, organization=request.organization)],
    )


def _preferred(request: OrgRequest, workspaces: Options) -> str:
    """The workspace the list was filtered by, else the default one."""
    wanted = request.GET.get("workspace", "")
    by_slug = {row.slug: row.uid for row in choices(request.organization).workspaces} if wanted else {}
    return by_slug.get(wanted, request.organization.default_workspace_uid)


def _sheet(
    request: OrgRequest, form: KeyForm, *, status: int = 200, fresh_token: bool = False
) -> HttpResponse:
    if fresh_token:
        renew_token(form)
    context = {"organization": request.organization, "form": form, "reads_all": request.reads_all}
    return respond(request, "keys/create.html", context, fragment="keys/_create.html", status=status)


def renew_token(form: KeyForm) -> None:
    """A refused create may be sent again: its token is spent, so the form gets another."""
    form.data = {name: form.data.get(name, "") for name in form.fields} | {"form_token": str(uuid.uuid4())}


def reveal(request: OrgRequest, made: Created, *, old: Key | None = None) -> HttpResponse:
    """The only answer that holds a secret; no cache and no history keeps it."""
    context = {
        "organization": request.organization,
        "name": made.found.name,
        "label": made.found.label,
        "key_hash": made.found.hash,
        "secret": made.secret.reveal(),
        "is_saved": made.row is not None,
        "warnings": made.warnings,
        "old": old,
        "rotation": _noted_rotation(made) if old is not None else None,
    }
    return respond(
        request, "keys/created.html", context, fragment="keys/_created.html", status=201, no_store=True
    )


def _noted_rotation(made: Created) -> Rotation | None:
    # Whatever fails here must not cost the secret.
    with CarryOn("rotation not read", key=made.found.hash):
        return made.row.predecessions.first() if made.row is not None else None
    return None


def already_sent(request: OrgRequest, error: AlreadySubmitted) -> HttpResponse:
    """A double click or a reload: nothing was sent again; say what the first one did."""
    outcome = error.entry.outcomes.order_by("-id").first()
    context = {"organization": request.organization, "entry": error.entry, "outcome": outcome}
    return respond(request, "keys/sent.html", context, fragment="keys/_sent.html", status=409)


def may_try_again(form: KeyForm, error: CreateLost) -> bool:
    """Whether the key was looked for and is not there; the form then says so, and can be sent again."""
    if not error.looked or error.orphan is not None:
        return False
    form.add_error(
        None,
        "OpenRouter failed to answer and lists no such key: none was created. You can try again."
        if error.settled
        else "OpenRouter did not answer and lists no such key so far. You can try again; if the first one "
        "appears after all, the next sync finds it and the audit log says so.",
    )
    return True


def lost(request: OrgRequest, error: CreateLost) -> HttpResponse:
    """The answer never came: say what was found, and offer the next step."""
    context = {"organization": request.organization, "orphan": error.orphan}
    return respond(request, "keys/lost.html", context, fragment="keys/_lost.html", status=502)
