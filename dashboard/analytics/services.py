"""Asking OpenRouter's analytics: what can be asked, one question, and a question as a background job."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils import timezone

from dashboard.analytics import kept as store
from dashboard.analytics.kept import Kept
from dashboard.analytics.question import CUSTOM, RANGES, Question, params_of
from dashboard.analytics.rules import Period, allowance, newest_part, period
from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.services import note_refusal
from orgadmin.jobs.models import Job
from orgadmin.jobs.services import NewJob, job_start
from orgadmin.openrouter import analytics
from orgadmin.openrouter.analytics import MOST_DIMENSIONS, Filter, Meta, OrderBy, Query
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.openrouter.transport import WEB, Patience

KIND = "analytics.ask"
# One question may take all the patience of a page: asking it anew after 6 seconds would only double the work.
PATIENCE = replace(WEB, read_timeout=WEB.seconds)
SHORTEST = 1.0


class Unfit(Exception):
    """A question that need not be sent: ``problems`` say why, each with what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def meta_of(organization: Organization, *, patience: Patience = WEB) -> Meta:
    """What this organization can ask, at most an hour old. Raises OpenRouterError."""
    known = store.read_meta(organization)
    if known is not None:
        return known
    try:
        found = analytics.meta(client_for(organization, patience=patience))
    except OpenRouterError as error:
        note_refusal(organization, error)
        raise
    store.keep_meta(organization, found)
    return found


def ask(*, organization: Organization, question: Question, patience: Patience | None = None) -> Kept:
    """The answer, at most 5 minutes old. ``patience`` (default: a page's) is for all of it. Raises Unfit and
    OpenRouterError."""
    patience = patience or PATIENCE
    known = store.read_answer(organization, question)
    if known is not None:
        return known
    began = time.monotonic()
    meta = meta_of(organization, patience=patience)
    query, asked, notes = prepared(question, meta)
    left = max(SHORTEST, patience.seconds - (time.monotonic() - began))
    try:
        answer = analytics.query(client_for(organization, patience=replace(patience, seconds=left)), query)
    except OpenRouterError as error:
        note_refusal(organization, error)
        raise
    kept = Kept(question, asked, notes, answer, timezone.now())
    store.keep_answer(organization, kept)
    return kept


def prepared(question: Question, meta: Meta) -> tuple[Query, Period, tuple[str, ...]]:
    """The question as it is sent, its range, and why that is shorter than what was wanted. Raises Unfit."""
    asked = period(question, timezone.now())
    problems = [*_problems(question, meta), *([_NO_RANGE] if asked is None else [])]
    if problems or asked is None:
        raise Unfit(*problems)
    allowed = allowance(question, labels_of(meta))
    span = newest_part(asked, allowed.most, question.granularity)
    notes = (f"Only the newest part of the range was asked for. {allowed.why}",) if span != asked else ()
    if allowed.why and question.granularity != "minute" and span.start < timezone.now() - allowed.most:
        notes = (*notes, f"What is older is missing here. {allowed.why}")
    try:
        query = Query(
            metrics=question.metrics,
            dimensions=question.dimensions,
            granularity=question.granularity or None,
            start=span.start,
            end=span.end,
            filters=tuple(Filter(one.field, one.operator, _value(one, meta)) for one in question.asked),
            order_by=_order(question),
            limit=question.limit,
        )
    except ValueError as problem:
        raise Unfit(str(problem)) from None
    return query, span, notes


_NO_RANGE = "The range has no beginning or no end, or ends before it begins. Enter both moments, in UTC."


def labels_of(meta: Meta) -> dict[str, str]:
    """What metrics and dimensions are called."""
    metrics = {metric.name: metric.display_label or metric.name for metric in meta.metrics}
    return metrics | {one.name: one.display_label or one.name for one in meta.dimensions}


def _problems(question: Question, meta: Meta) -> list[str]:
    metrics = {metric.name for metric in meta.metrics}
    dimensions = {dimension.name for dimension in meta.dimensions}
    found = [] if question.metrics else ["Choose at least one metric."]
    found += [
        f"OpenRouter does not offer “{name}” to this account. Leave it out."
        for name in (*question.metrics, *question.dimensions)
        if name not in (metrics if name in question.metrics else dimensions)
    ]
    if len(question.dimensions) > MOST_DIMENSIONS:
        found.append("OpenRouter breaks figures down by two dimensions at most. Leave one out.")
    if question.granularity and question.granularity not in {one.name for one in meta.granularities}:
        found.append(f"OpenRouter has no buckets of “{question.granularity}”. Choose another width.")
    operators = {operator.name for operator in meta.operators}
    for one in question.asked:
        if one.field not in dimensions:
            found.append(f"OpenRouter does not filter by “{one.field}”. Remove that filter.")
        elif one.operator not in operators:
            found.append(f"OpenRouter does not compare with “{one.operator}”. Choose another comparison.")
        elif not one.values:
            name = labels_of(meta)[one.field]
            found.append(f"The filter on “{name}” has no value. Give one, or remove the filter.")
    return found


def _value(condition: Any, meta: Meta) -> Any:
    """One value or several, as the operator takes them: by its name, else by what /meta says of it."""
    kinds: Mapping[str, str] = {operator.name: operator.value_type for operator in meta.operators}
    several = condition.takes_several or (
        condition.operator not in analytics.TAKES_ONE and kinds[condition.operator] == "array"
    )
    return condition.values if several else condition.values[0]


def _order(question: Question) -> OrderBy | None:
    if question.order not in question.orders:
        return None
    return OrderBy(question.order, "asc" if question.ascending else "desc")


def asking_start(*, actor: User, organization: Organization, question: Question) -> Job:
    """Ask in the background; what is being asked already is not asked twice. Raises Unfit."""
    if question.is_empty:
        raise Unfit("Choose at least one metric.")
    params = {"question": question.params()}
    running = Job.objects.filter(organization=organization, kind=KIND, params=params)
    found = running.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING]).first()
    if found is not None:
        return found
    meta = store.read_meta(organization)
    words = in_words(question, labels_of(meta) if meta else {})
    new = NewJob(kind=KIND, title=f"Ask: {words}"[:200], targets=[("question", words)], params=params)
    return job_start(actor=actor, organization=organization, new=new)


def question_of(job: Job) -> Question:
    """What a job asks."""
    return Question.of_params(params_of(job.params.get("question")))


def in_words(question: Question, labels: Mapping[str, str]) -> str:
    """ "Total spend, Requests by Model, last 7 days" """
    metrics = ", ".join(labels.get(name, name) for name in question.metrics)
    dimensions = " and ".join(labels.get(name, name) for name in question.dimensions)
    what = f"{metrics} by {dimensions}" if dimensions else metrics
    if question.range != CUSTOM:
        return f"{what}, {RANGES[question.range].lower()}"
    since, until = (text.replace("T", " ") for text in (question.since, question.until))
    return f"{what}, {since} to {until} UTC"
