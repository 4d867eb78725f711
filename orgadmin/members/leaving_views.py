"""What somebody who leaves still holds, and taking it all from them as one job."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.members.forms import OffboardForm
from orgadmin.members.leaving import Leaving, leaving_of, offboarding_of
from orgadmin.members.offboarding import offboard_start
from orgadmin.members.selectors import default_workspace, member_of
from orgadmin.members.words import role_words, workspace_role_words
from orgadmin.pages import go, respond


@allow(Permission.CHANGE)
def leaving(request: OrgRequest, member_uid: str) -> HttpResponse:
    found = leaving_of(member_of(request.organization, member_uid))
    return _page(request, found, OffboardForm(leaving=found))


@allow(Permission.CHANGE, methods=("POST",), proof=True)
def start(request: OrgRequest, member_uid: str) -> HttpResponse:
    """Begin the job, unless one is at work already or they hold something else than the person was shown."""
    member = member_of(request.organization, member_uid)
    before = offboarding_of(member)
    if before is not None and before.job.is_open:
        return go(request, _job_address(request, before.job.pk), toast="This job is at work already.")
    found = leaving_of(member)
    form = OffboardForm(request.POST, leaving=found)
    if not form.is_valid():
        return _page(request, found, form, status=400)
    if form.cleaned_data["seen"] != found.seen:
        return _page(request, found, OffboardForm(leaving=found), status=409, is_outdated=True)
    job = offboard_start(actor=request.user, leaving=found, draft=form.draft())
    return go(request, _job_address(request, job.pk))


def _job_address(request: OrgRequest, number: int) -> str:
    return reverse("syncs:job", kwargs={"organization": request.organization.slug, "job_id": number})


def _page(
    request: OrgRequest, found: Leaving, form: OffboardForm, *, status: int = 200, is_outdated: bool = False
) -> HttpResponse:
    context = {
        "organization": request.organization,
        "capabilities": request.organization.capabilities,
        "member": found.member,
        "role": role_words(found.member.role),
        "leaving": found,
        "form": form,
        "is_outdated": is_outdated,
        "default_workspace": default_workspace(request.organization),
        "workspace_role_words": workspace_role_words,
        "may_manage": Permission.MANAGE in request.may,
        "is_me": any(account.membership.user_id == request.user.pk for account in found.accounts),
        "now": timezone.now(),
    }
    return respond(request, "members/leaving.html", context, status=status)
