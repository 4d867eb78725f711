"""A page that shows every component, and a list of fifty keys, on a URLconf of its own.

It stands on unsaved rows, so that the look of the frame is tested without the pages that use it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.backends.jinja2 import Jinja2
from django.urls import include, path
from django.views.decorators.csrf import ensure_csrf_cookie

from dashboard.env import BASE_DIR
from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.openrouter.secret import Secret
from orgadmin.pages import Page

ENGINE = Jinja2(
    {
        "NAME": "gallery",
        "DIRS": [Path(__file__).parent / "gallery_templates", BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": settings.TEMPLATES[0]["OPTIONS"],
    }
)
NOW = datetime(2026, 11, 23, 10, 55, tzinfo=UTC)
NAMES = [
    *("agents-eu", "batch-etl", "ci-runner", "chat-frontend", "demo-day"),
    *("eval-nightly", "mobile-app", "notebook-lea", "old-prototype", "support-bot"),
]
STATES = (
    ("Active", "ok"),
    ("88 % used", "attention"),
    ("Expires", "attention"),
    ("Active", "ok"),
    ("Disabled", "neutral"),
    ("Active", "ok"),
    ("Limit reached", "danger"),
    ("Active", "ok"),
    ("Idle 96 d", "attention"),
    ("Active", "ok"),
)


class EveryField(forms.Form):
    name = forms.CharField(help_text="How people find it. It can be changed later.")
    limit = forms.DecimalField(help_text="In US dollars. Empty: no limit.", required=False)
    reset = forms.ChoiceField(
        choices=[("", "never"), ("daily", "every day"), ("monthly", "every month")], required=False
    )
    byok = forms.BooleanField(
        label="Count BYOK spend in the limit", required=False, help_text="Spend on your own provider keys."
    )
    expires_at = forms.DateTimeField(
        label="Expires", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    scope = forms.ChoiceField(
        choices=[("one", "This key"), ("all", "Every key")], widget=forms.RadioSelect, initial="one"
    )
    note = forms.CharField(widget=forms.Textarea, required=False)
    password = forms.CharField(widget=forms.PasswordInput)
    kept = forms.CharField(widget=forms.HiddenInput, initial="kept", required=False)


def organization() -> Organization:
    synced_at = datetime.now(UTC) - timedelta(minutes=2, seconds=10)
    choices = [
        {"slug": name.lower(), "name": name} for name in ("Production", "Research", "Platform", "Sandbox")
    ]
    return Organization(
        pk=1,
        name="Acme Research",
        slug="acme",
        management_key=Secret("sk-or-v1-secret"),
        summary={
            "keys": 10213,
            "workspaces": 6,
            "members": 25,
            "unlimited": 7,
            "expiring": 3,
            "workspace_choices": choices,
            "synced_at": synced_at.isoformat(),
            "sync_state": "ok",
            "sync_message": "",
        },
    )


def enter(request: HttpRequest) -> Any:
    """Make the request one of an organization's owner, as ``orgadmin.access`` would."""
    entered: Any = request
    entered.user = User(pk=1, email="mia.kurz@example.org", first_name="Mia", last_name="Kurz", is_staff=True)
    entered.organization = organization()
    other = Organization(pk=2, name="Acme Labs", slug="labs")
    entered.memberships = [
        Membership(user=entered.user, organization=found, role=Role.OWNER)
        for found in (entered.organization, other)
    ]
    entered.membership = entered.memberships[0]
    entered.may = frozenset({"read", "change", "own_keys", "manage"})
    return entered


def rows(count: int = 50) -> list[dict[str, Any]]:
    return [row(index) for index in range(count)]


def row(index: int) -> dict[str, Any]:
    state, kind = STATES[index % len(STATES)]
    limit = None if index % 10 in (5, 8) else Decimal(25 * (1 + index % 9))
    shares = (Decimal("0.76"), Decimal("0.88"), Decimal("0.25"), Decimal("0.47"), Decimal(0), Decimal(1))
    used = (limit or Decimal("231.77")) * shares[index % 6]
    return {
        "hash": f"{index:04x}",
        "name": NAMES[index % len(NAMES)] + (f"-{index // len(NAMES)}" if index >= len(NAMES) else ""),
        "label": f"sk-or-v1-{index * 7919 % 65536:04x}…{index * 104729 % 65536:04x}",
        "workspace": ("Production", "Research", "Platform", "Default")[index % 4],
        "owner": ("Ada Okafor", "workspace key", "Jun Tanaka", "Lea Brandt", "Omar Haddad")[index % 5],
        "state": state,
        "kind": kind,
        "used": used,
        "limit": limit,
        "last_used": datetime.now(UTC) - timedelta(hours=index * index % 400),
        "expires": datetime.now(UTC) + timedelta(days=14 + index) if index % 7 == 2 else None,
    }


def render(
    request: HttpRequest, name: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    return HttpResponse(ENGINE.get_template(name).render(context or {}, request), status=status)


@ensure_csrf_cookie
def components(request: HttpRequest) -> HttpResponse:
    enter(request)
    failed = EveryField({"limit": "many", "name": ""})
    failed.add_error(None, "OpenRouter refused: name is too long.")
    return render(request, "components.html", {"form": EveryField(), "failed": failed, "now": NOW})


@ensure_csrf_cookie
def key_list(request: HttpRequest, organization: str) -> HttpResponse:
    entered = enter(request)
    page = Page(rows=rows(), number=int(request.GET.get("page", "1")), total=10213)
    if request.GET.get("toast"):
        messages.success(request, "Key “agents-eu” disabled.")
    fragment = bool(entered.htmx)
    found = [] if request.GET.get("q") == "nothing" else page.rows
    context = {"page": page, "rows": found, "sort": request.GET.get("sort", "name"), "fragment": fragment}
    return render(request, "_keys.html" if fragment else "keys.html", context)


def key_create(request: HttpRequest, organization: str) -> HttpResponse:
    entered = enter(request)
    form = EveryField(request.POST or None)
    if request.method == "POST" and request.POST.get("name") == "reveal":
        return render(request, "_secret.html")
    context = {"form": form, "fragment": bool(entered.htmx)}
    return render(
        request, "create.html", context, status=400 if form.is_bound and not form.is_valid() else 200
    )


def freshness(request: HttpRequest, organization: str) -> HttpResponse:
    enter(request)
    return render(request, "components/_freshness.html")


def search(request: HttpRequest, organization: str) -> HttpResponse:
    enter(request)
    query = request.GET.get("q", "")
    hits = [(name, "key", f"/o/acme/keys/{name}") for name in NAMES if query in name] if query else []
    return render(request, "_palette.html", {"groups": [("Keys", hits)], "query": query})


def theme(request: HttpRequest) -> HttpResponse:
    response = redirect(request.POST.get("next", "/"))
    response.set_cookie("theme", request.POST["theme"])
    return response


def fails(request: HttpRequest, status: int) -> HttpResponse:
    return HttpResponse("no", status=status)


def plain(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return components(request)


def slice_of(namespace: str, *routes: Any) -> Any:
    return path(f"o/<slug:organization>/{namespace}/", include((list(routes), namespace)))


urlpatterns = [
    path("", components, name="home"),
    path("components/", components),
    path("fails/<int:status>/", fails),
    path("theme/", theme, name="theme"),
    path("accounts/", include("allauth.urls")),
    slice_of(
        "keys",
        path("", key_list, name="list"),
        path("new/", key_create, name="create"),
        path("<str:key_hash>/", plain, name="detail"),
    ),
    slice_of("guardrails", path("", plain, name="list"), path("assign/", plain, name="assign")),
    slice_of("budgets", path("", plain, name="list")),
    slice_of("workspaces", path("", plain, name="list")),
    slice_of("members", path("", plain, name="list")),
    slice_of("byok", path("", plain, name="list")),
    slice_of("observability", path("", plain, name="list")),
    slice_of("presets", path("", plain, name="list")),
    slice_of("overview", path("", plain, name="show")),
    slice_of("spend", path("", plain, name="show")),
    slice_of("credits", path("", plain, name="show")),
    slice_of("catalog", path("", plain, name="list")),
    slice_of("analytics", path("", plain, name="show")),
    slice_of("auditlog", path("", plain, name="list")),
    slice_of(
        "syncs",
        path("", plain, name="list"),
        path("run/", freshness, name="run"),
        path("freshness/", freshness, name="freshness"),
    ),
    slice_of("search", path("", search, name="palette")),
    slice_of("connections", path("", plain, name="settings"), path("people/", plain, name="people")),
    path("front/", include(([path("add/", plain, name="add"), path("name/", plain, name="name")], "front"))),
]
