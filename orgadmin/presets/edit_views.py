"""Making presets and new versions of them. Both are live at once: first it is shown what they become."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.models import Entry
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.inventory.acts import Refused
from orgadmin.inventory.models import Preset, PresetVersion
from orgadmin.openrouter.errors import InvalidRequest, NotFound, OpenRouterError
from orgadmin.pages import explained, go, respond
from orgadmin.presets.bodies import CHAT, KEPT, as_request, fates, pretty
from orgadmin.presets.diffs import difference
from orgadmin.presets.forms import EXAMPLE, PresetForm, RestoreForm
from orgadmin.presets.preview import Preview, preview_of
from orgadmin.presets.selectors import live_of, places, preset_of, version_of
from orgadmin.presets.services import Moved, Saved, preset_restore, preset_save

TICK = "Tick that you know it is live at once."
LOOK_AGAIN = "It changed since you looked at it: look again at what it becomes, then confirm."


@allow(Permission.CHANGE, methods=("GET", "POST"))
def create(request: OrgRequest) -> HttpResponse:
    choices = _open_places(request)
    if request.method == "GET":
        initial = {"slug": request.GET.get("slug", "")[:100], "workspace": request.GET.get("workspace", "")}
        return _editor(request, None, PresetForm(places=choices, initial=initial))
    return _save(request, None, PresetForm(request.POST, places=choices))


@allow(Permission.CHANGE, methods=("GET", "POST"))
def edit(request: OrgRequest, preset_uid: str) -> HttpResponse:
    """A new version of a preset, beginning with what is live."""
    preset = _existing(request, preset_uid)
    fixed = (preset.workspace_uid, preset.slug)
    if request.method == "GET":
        return _editor(request, preset, PresetForm(fixed=fixed, initial={"body": _as_body(preset)}))
    return _save(request, preset, PresetForm(request.POST, fixed=fixed))


@allow(Permission.CHANGE, methods=("POST",))
def check(request: OrgRequest) -> HttpResponse:
    """What a request would become, while it is typed; nothing is sent."""
    uid = request.POST.get("preset", "")[:100].replace("\x00", "")
    preset = _existing(request, uid) if uid else None
    fixed = (preset.workspace_uid, preset.slug) if preset else None
    form = PresetForm(request.POST, places=_open_places(request), fixed=fixed)
    preview = preview_of(request.organization, form.draft()) if form.is_valid() else None
    context = {"organization": request.organization, "form": form, "preview": preview, "problem": ""}
    return respond(request, "presets/check.html", context, fragment="presets/_preview.html")


def _open_places(request: OrgRequest) -> list[tuple[str, str]]:
    return [
        (place.workspace.uid, place.workspace.name)
        for place in places(request.organization)
        if place.state == "open"
    ]


def _existing(request: OrgRequest, preset_uid: str) -> Preset:
    preset = preset_of(request.organization, preset_uid)
    if preset.gone_at is not None:
        raise Http404("This preset is gone.")
    return preset


def _as_body(preset: Preset) -> str:
    live = live_of(preset)
    return pretty(as_request(live.config, live.system_prompt)) if live else EXAMPLE


def _save(request: OrgRequest, preset: Preset | None, form: PresetForm) -> HttpResponse:
    if not form.is_valid():
        return _editor(request, preset, form, status=400)
    draft = form.draft()
    preview = preview_of(request.organization, draft)
    if not form.is_checked or not form.cleaned_data["confirmed"]:
        problem = _unconfirmed(form)
        return _editor(
            request, preset, form, preview=preview, problem=problem, status=400 if problem else 200
        )
    try:
        saved = preset_save(
            actor=request.user,
            organization=request.organization,
            draft=draft,
            seen=form.cleaned_data["seen"] or 0,
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted as again:
        return _already(request, again.entry)
    except Moved as moved:
        preview = preview_of(request.organization, draft)
        problem = f"{moved} Nothing was made. Below is what yours would replace now."
        return _editor(request, preset, form, preview=preview, problem=problem, status=409)
    except (Refused, OpenRouterError) as error:
        return _editor(request, preset, form, preview=preview, problem=_why(error), status=_status(error))
    return go(request, _page(request, saved.uid), toast=_done(draft.slug, saved))


def _unconfirmed(form: PresetForm) -> str:
    """What is missing before it may be sent; "" where nothing was shown yet."""
    if not form.cleaned_data["checked"]:
        return ""
    return TICK if form.is_checked else LOOK_AGAIN


def _why(error: Refused | OpenRouterError) -> str:
    return str(error) if isinstance(error, Refused) else explained(error, "No version was made.")


def _status(error: Refused | OpenRouterError) -> int:
    return 400 if isinstance(error, Refused | InvalidRequest) else 502


def _done(slug: str, saved: Saved) -> str:
    said = f"Version {saved.number} of {slug} is live."
    if saved.dropped:
        said += f" OpenRouter did not keep: {', '.join(saved.dropped)[:300]}."
    return said


def _already(request: OrgRequest, entry: Entry) -> HttpResponse:
    """Where the first submission of a form led, in words."""
    outcome = entry.outcomes.order_by("-id").first()
    uid = outcome.target_id if outcome else ""
    where = _page(request, uid) if uid else _list(request)
    said = outcome.get_outcome_display().lower() if outcome else "under way"
    return go(
        request, where, problem=f"This form was already sent, and nothing was sent again. It came to: {said}."
    )


def _editor(
    request: OrgRequest,
    preset: Preset | None,
    form: PresetForm,
    *,
    preview: Preview | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    form.renew_token()
    context: dict[str, Any] = {
        "organization": request.organization,
        "preset": preset,
        "form": form,
        "preview": preview,
        "problem": problem,
        "has_places": preset is not None or bool(_open_places(request)),
        "may_manage": Permission.MANAGE in request.may,
    }
    return respond(request, "presets/edit.html", context, fragment="presets/_edit.html", status=status)


@allow(Permission.CHANGE, methods=("GET", "POST"))
def restore(request: OrgRequest, preset_uid: str, number: int) -> HttpResponse:
    preset = _existing(request, preset_uid)
    found = version_of(preset, number)
    if found is None:
        raise Http404("This preset has no such version.")
    if request.method == "GET":
        return _restore_sheet(request, preset, found)
    form = RestoreForm(request.POST)
    if not form.is_valid():
        return _restore_sheet(request, preset, found, problem="Look at it again, then confirm.", status=400)
    try:
        saved = preset_restore(
            actor=request.user,
            preset=preset,
            number=number,
            seen=form.cleaned_data["seen"],
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted as again:
        return _already(request, again.entry)
    except Moved as moved:
        preset.refresh_from_db()
        problem = f"{moved} Nothing was made. Below is what would be replaced now."
        return _restore_sheet(request, preset, found, problem=problem, status=409)
    except NotFound:
        problem = "OpenRouter does not know this version any more."
        return _restore_sheet(request, preset, found, problem=problem, status=400)
    except (Refused, OpenRouterError) as error:
        return _restore_sheet(request, preset, found, problem=_why(error), status=_status(error))
    return go(request, _page(request, saved.uid), toast=_done(preset.slug, saved))


def _restore_sheet(
    request: OrgRequest, preset: Preset, found: PresetVersion, *, problem: str = "", status: int = 200
) -> HttpResponse:
    live = live_of(preset)
    old = (live.config, live.system_prompt) if live else ({}, None)
    context = {
        "organization": request.organization,
        "preset": preset,
        "version": found,
        "live": live,
        "difference": difference(old, (found.config, found.system_prompt)),
        # It is made again of a chat completions request, whatever it was made of.
        "doubtful": [one.name for one in fates(CHAT, found.config) if one.fate != KEPT],
        "form": RestoreForm(seen=live.number if live else 0),
        "problem": problem,
    }
    return respond(request, "presets/restore.html", context, fragment="presets/_restore.html", status=status)


def _list(request: OrgRequest) -> str:
    return reverse("presets:list", kwargs={"organization": request.organization.slug})


def _page(request: OrgRequest, uid: str) -> str:
    return reverse("presets:detail", kwargs={"organization": request.organization.slug, "preset_uid": uid})
