"""Jobs: the list, one with its progress and items, cancel, and try again."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.urls import reverse
from django_htmx.http import trigger_client_event

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.jobs.models import Job
from orgadmin.jobs.services import job_cancel
from orgadmin.pages import go, respond, wants_fragment
from orgadmin.syncs.jobs import (
    OPPOSITE,
    STATE_WORDS,
    item_state,
    items_page,
    job_again,
    jobs_page,
    may_steer,
    standing_of,
    visible_job,
)

SEE = (Permission.READ, Permission.OWN_KEYS)
STEER = (Permission.CHANGE, Permission.OWN_KEYS)


@allow(*SEE)
def list_jobs(request: OrgRequest) -> HttpResponse:
    context = {
        "organization": request.organization,
        "reads_all": request.reads_all,
        "page": jobs_page(request, number=request.GET.get("page")),
    }
    return respond(request, "syncs/jobs.html", context, fragment="syncs/_jobs.html")


@allow(*SEE)
def detail(request: OrgRequest, job_id: int) -> HttpResponse:
    job = visible_job(request, job_id)
    context = {**_progress(request, job), **_items(request, job)}
    return respond(request, "syncs/job.html", context, fragment="syncs/_items.html")


@allow(*SEE)
def progress(request: OrgRequest, job_id: int) -> HttpResponse:
    """The bar and the counts, asked for every two seconds while the job is open."""
    job = visible_job(request, job_id)
    response = respond(
        request, "syncs/job_progress.html", _progress(request, job), fragment="syncs/_progress.html"
    )
    # The items below are asked for again when the last of them is done.
    return response if job.is_open else trigger_client_event(response, "job:done")


@allow(*SEE)
def items(request: OrgRequest, job_id: int) -> HttpResponse:
    """The items alone, without asking how the rest stands."""
    job = visible_job(request, job_id)
    context = {"organization": request.organization, "job": job, **_items(request, job)}
    return respond(request, "syncs/items.html", context, fragment="syncs/_items.html")


@allow(*STEER, methods=("POST",))
def cancel(request: OrgRequest, job_id: int) -> HttpResponse:
    job = _steered(request, job_id)
    job_cancel(job=job)
    job.refresh_from_db()
    words = "Cancelled. What was done stays done." if not job.is_open else "It stops after the item in hand."
    return _answer(request, job, words)


@allow(*STEER, methods=("POST",), proof=True)
def retry(request: OrgRequest, job_id: int) -> HttpResponse:
    job = _steered(request, job_id)
    if job.is_open:
        return _answer(request, job, "It is still at work.")
    again = job_again(actor=request.user, job=job, form_token=_token(request))
    again.refresh_from_db()
    return go(request, _address(request, again), toast="What failed is tried again.")


def _steered(request: OrgRequest, job_id: int) -> Job:
    job = visible_job(request, job_id)
    if not may_steer(request, job):
        raise PermissionDenied("Only administrators and whoever started a job may steer it.")
    return job


def _token(request: OrgRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.POST.get("form_token", ""))
    except ValueError:
        return None


def _answer(request: OrgRequest, job: Job, words: str) -> HttpResponse:
    if not wants_fragment(request):
        return go(request, _address(request, job), toast=words)
    response = respond(
        request, "syncs/job_progress.html", _progress(request, job), fragment="syncs/_progress.html"
    )
    return response if job.is_open else trigger_client_event(response, "job:done")


def _address(request: OrgRequest, job: Job) -> str:
    return reverse("syncs:job", kwargs={"organization": request.organization.slug, "job_id": job.pk})


def _progress(request: OrgRequest, job: Job) -> dict[str, Any]:
    return {
        "organization": request.organization,
        "reads_all": request.reads_all,
        "job": job,
        "progress": standing_of(job),
        "may_steer": may_steer(request, job),
        "opposite": OPPOSITE.get(job.kind, ""),
        "is_own": job.actor_id == request.user.pk,
        "form_token": uuid.uuid4(),
    }


def _items(request: OrgRequest, job: Job) -> dict[str, Any]:
    state = item_state(request.GET.get("state", ""))
    return {
        "shown": state,
        "state_words": STATE_WORDS,
        "page": items_page(job, state=state, number=request.GET.get("page")),
    }
