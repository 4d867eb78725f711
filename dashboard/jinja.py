"""The Jinja2 environment of our pages, and the ``frame`` that every page is drawn in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from jinja2 import Environment, StrictUndefined

from dashboard import formats
from dashboard.navigation import Group, Link, navigation
from orgadmin.access import LAST_ORGANIZATION
from orgadmin.accounts.selectors import memberships_of
from orgadmin.pages import sentence

THEMES = ("auto", "light", "dark")
# A mirror older than this is worth a second look even when its last pull went well.
STALE = timedelta(hours=1)
POLL_SECONDS, POLL_SECONDS_RUNNING = 30, 2


def environment(**options: Any) -> Environment:
    """The environment Django's Jinja2 backend uses: a missing variable is an error, not a blank."""
    options["undefined"] = StrictUndefined
    made = Environment(trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701 (autoescape comes in options)
    made.globals.update(url=url, static=static, here=here)
    made.filters.update(
        attributes=attributes,
        money=formats.money,
        exact_money=formats.exact_money,
        number=formats.number,
        share=formats.share,
        compact=formats.compact,
        change=formats.change,
        plural=formats.plural,
        sentence=sentence,
        relative=formats.relative,
        exact=formats.exact,
        day=formats.day,
        days=lambda span: formats.days(span.since, span.until),
        minute=formats.minute,
        iso=formats.iso,
        duration=formats.duration,
    )
    return made


def url(name: str, **kwargs: Any) -> str:
    """The address of a named page: ``url('keys:list', organization=organization.slug)``."""
    urlconf = get_urlconf() or settings.ROOT_URLCONF
    return _address(name, tuple(kwargs.items()), urlconf, get_script_prefix())


@lru_cache(maxsize=2048)
def _address(name: str, kwargs: tuple[tuple[str, Any], ...], urlconf: str, prefix: str) -> str:
    """Every page names the same two dozen addresses; working one out costs more than printing it."""
    return reverse(name, kwargs=dict(kwargs), urlconf=urlconf)


def here(request: HttpRequest, **changes: object) -> str:
    """The page's own address with its query changed: a value sets, None or "" removes.

    ``here(request, sort="name", page=None)`` keeps every filter, sorts by name and goes to page 1.
    """
    # Not a copy of the QueryDict: a page has some thirty such links, and that copy is a deep one.
    query = dict(request.GET.lists())
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = [str(value)]
    return f"{request.path}?{urlencode(query, doseq=True)}" if query else request.path


def attributes(values: Mapping[str, object]) -> SafeString:
    """HTML attributes from a mapping: True is a bare name, None and False are left out.

    Raises ValueError for what the Content-Security-Policy would block or htmx would have to evaluate, so
    that no template can come to depend on it.
    """
    parts = []
    for name, value in values.items():
        if name == "style" or name.startswith(("on", "hx-on", "data-hx-on")):
            raise ValueError(f"{name} is blocked by the Content-Security-Policy; use a class or a module.")
        if isinstance(value, str) and value.startswith(("js:", "javascript:")):
            raise ValueError(f"{name} would evaluate its value, which the Content-Security-Policy blocks.")
        if value is True:
            parts.append(f" {escape(name)}")
        elif value is not None and value is not False:
            parts.append(f' {escape(name)}="{escape(value)}"')
    return mark_safe("".join(parts))  # noqa: S308 (names and values are escaped above)


def frame(request: HttpRequest) -> dict[str, Frame]:
    """The context processor: one lazy object, so that a fragment pays only for what it shows."""
    return {"frame": Frame(request)}


@dataclass(frozen=True)
class Freshness:
    """How true the mirror is. ``kind`` is the colour (ok, attention, danger, neutral), ``label`` the words,
    ``short`` what of them fits on a phone, ``detail`` the tooltip, ``poll_seconds`` how often a visible page
    may ask again."""

    kind: str
    label: str
    short: str
    detail: str
    is_running: bool
    poll_seconds: int


@dataclass(frozen=True)
class Choice:
    """One line of a menu that changes what the page shows."""

    label: str
    url: str
    is_chosen: bool


class Frame:
    """What surrounds a page: everything is worked out when a template asks for it.

    Pages of an organization carry ``organization``, ``memberships``, ``may`` on the request; others do
    not, and neither does a request that failed before anybody was recognised.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.organization = getattr(request, "organization", None)
        self.may: frozenset[str] = getattr(request, "may", frozenset())

    @cached_property
    def theme(self) -> str:
        chosen = self.request.COOKIES.get("theme", "auto")
        return chosen if chosen in THEMES else "auto"

    @cached_property
    def user(self) -> Any:
        """The signed-in user, or None."""
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @cached_property
    def messages(self) -> Iterable[Message]:
        """The waiting toasts. Reading them uses them up."""
        return get_messages(self.request) if hasattr(self.request, "_messages") else ()

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        return self.organization.summary if self.organization else {}

    @cached_property
    def workspace(self) -> str:
        """The slug in ``?workspace=``, when the organization has such a workspace."""
        asked = self.request.GET.get("workspace", "")
        return asked if any(choice["slug"] == asked for choice in self._workspaces) else ""

    @property
    def _workspaces(self) -> list[dict[str, str]]:
        return list(self.summary.get("workspace_choices", ())) if "read" in self.may else []

    @cached_property
    def navigation(self) -> tuple[Group, ...]:
        if not self.organization:
            return ()
        match = self.request.resolver_match
        return navigation(
            organization=self.organization.slug,
            may=self.may,
            namespace=match.namespace if match else "",
            summary=self.summary,
            workspace=self.workspace,
        )

    @cached_property
    def open_link(self) -> Link | None:
        return next((link for group in self.navigation for link in group.links if link.is_open), None)

    @cached_property
    def workspaces(self) -> list[Choice]:
        """The workspace filter's lines, or none where the open page knows no workspaces."""
        if not self._workspaces or self.open_link is None or not self.open_link.entry.by_workspace:
            return []
        return [
            Choice(choice["name"], self._in_workspace(choice["slug"]), choice["slug"] == self.workspace)
            for choice in ({"name": "All workspaces", "slug": ""}, *self._workspaces)
        ]

    def _in_workspace(self, slug: str) -> str:
        assert self.open_link is not None
        path = self.open_link.url.partition("?")[0]
        if self.request.path == path:
            return here(self.request, workspace=slug, page=None)
        return f"{path}?workspace={slug}" if slug else path

    @cached_property
    def organizations(self) -> list[Choice]:
        """The switcher's lines: every organization the user belongs to."""
        chosen = self.organization.pk if self.organization else None
        return [
            Choice(
                entry.organization.name,
                url("keys:list", organization=entry.organization.slug),
                entry.organization.pk == chosen,
            )
            for entry in getattr(self.request, "memberships", ())
        ]

    @cached_property
    def way_back(self) -> Choice | None:
        """From a page of no organization to the keys of the one looked at last."""
        session = getattr(self.request, "session", {})
        if self.organization is not None or self.user is None or LAST_ORGANIZATION not in session:
            return None
        theirs = {entry.organization.slug: entry.organization for entry in memberships_of(user=self.user)}
        last = theirs.get(session[LAST_ORGANIZATION])
        return Choice(last.name, url("keys:list", organization=last.slug), False) if last else None

    @cached_property
    def freshness(self) -> Freshness:
        """What the top bar says about the mirror of this organization."""
        organization = self.organization
        if organization is not None and not organization.is_connected:
            detail = _why_not_connected(organization)
            label = organization.get_status_display()
            short = "Refused" if organization.status == "broken" else "Off"
            return Freshness("danger", label, short, detail, False, POLL_SECONDS)
        return freshness(self.summary)


def _why_not_connected(organization: Any) -> str:
    """What is wrong with the connection, and who can mend it."""
    if organization.status != "broken":
        return organization.status_message or "OpenRouter is not connected."
    said = f" It says: {sentence(organization.status_message)}" if organization.status_message else ""
    return f"OpenRouter refused the management key.{said} An owner can replace it in Settings."


def freshness(summary: Mapping[str, Any]) -> Freshness:
    """Words and colour for the sync state that an organization's summary holds."""
    synced_at = formats.moment(summary.get("synced_at"))
    state = summary.get("sync_state", "never")
    when = f"Last synced {formats.exact(synced_at)}." if synced_at else "Nothing was synced yet."
    if state == "running":
        return Freshness("accent", "Syncing…", "Syncing…", when, True, POLL_SECONDS_RUNNING)
    if state == "failed":
        message = summary.get("sync_message") or "The last sync failed."
        data = f" · data from {formats.relative(synced_at)}" if synced_at else ""
        detail = f"{sentence(message)} {when}"
        return Freshness("danger", f"Sync failed{data}", "Failed", detail, False, POLL_SECONDS)
    if synced_at is None:
        return Freshness("neutral", "Never synced", "Never", when, False, POLL_SECONDS)
    kind = "attention" if timezone.now() - synced_at > STALE else "ok"
    age = formats.relative(synced_at)
    return Freshness(kind, f"Synced {age}", age.removesuffix(" ago"), when, False, POLL_SECONDS)
