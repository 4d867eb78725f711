"""Saved queries, and what was asked in the background during the last day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.http import Http404
from django.utils import timezone

from dashboard.analytics.kept import JOB_SECONDS, read_meta
from dashboard.analytics.question import Question, params_of
from dashboard.analytics.services import KIND, in_words, labels_of
from orgadmin.accounts.models import Organization
from orgadmin.jobs.models import Job
from orgadmin.usage.models import SavedQuery

# How many stand above the form.
FIRST = 8
MOST_ASKED = 50


@dataclass(frozen=True)
class Saved:
    """``words`` say what it asks."""

    row: SavedQuery
    question: Question
    words: str


def saved_queries(organization: Organization) -> list[Saved]:
    """All of an organization's, by name."""
    rows = SavedQuery.objects.filter(organization=organization).select_related("created_by")
    labels = labels_known(organization)
    questions = [(row, Question.of_params(params_of(row.question))) for row in rows]
    return [Saved(row, question, in_words(question, labels)) for row, question in questions]


def saved_query(organization: Organization, saved_id: int) -> SavedQuery:
    """Raises Http404."""
    rows = SavedQuery.objects.select_related("organization").filter(organization=organization, pk=saved_id)
    found = rows.first()
    if found is None:
        raise Http404("No such saved query.")
    return found


def labels_known(organization: Organization) -> Mapping[str, str]:
    """What metrics and dimensions are called, as far as that is known without asking."""
    meta = read_meta(organization)
    return labels_of(meta) if meta else {}


def asked_lately(organization: Organization) -> list[Job]:
    """Background questions whose answers may still be kept, newest first."""
    since = timezone.now() - timedelta(seconds=JOB_SECONDS)
    jobs = Job.objects.filter(organization=organization, kind=KIND, created_at__gte=since)
    return list(jobs.select_related("actor").order_by("-id")[:MOST_ASKED])


def asking(organization: Organization, asking_id: int) -> Job:
    """The job of one background question. Raises Http404."""
    jobs = Job.objects.select_related("actor").filter(organization=organization, kind=KIND, pk=asking_id)
    found = jobs.first()
    if found is None:
        raise Http404("No such question.")
    return found
