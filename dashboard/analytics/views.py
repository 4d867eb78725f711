"""The analytics page: the form, the answer, its file, and an answer that takes longer than a page may."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import push_url

from dashboard.analytics import kept as store
from dashboard.analytics.builder import Builder
from dashboard.analytics.csv import stream
from dashboard.analytics.kept import Kept
from dashboard.analytics.pictures import pictures
from dashboard.analytics.question import Question
from dashboard.analytics.reading import Reading
from dashboard.analytics.selectors import FIRST, asked_lately, asking, saved_queries
from dashboard.analytics.services import Unfit, ask, asking_start, meta_of, question_of
from dashboard.analytics.trouble import trouble_of, unfit
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.jobs.models import Job, JobItem
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.pages import go, page_of, respond, sentence, wants_fragment

# The element that fetches an answer by itself when a page is opened whose address is right already.
SLOT = "answer"
MAY_SAVE = frozenset({Permission.CHANGE, Permission.MANAGE})


@allow(Permission.READ)
def show(request: OrgRequest) -> HttpResponse:
    """The page. It asks OpenRouter nothing: what is not kept here is fetched by a fragment of its own."""
    question = Question.of(request.GET)
    context = _frame(request, question)
    if wants_run := request.GET.get("run") == "1" and not question.is_empty:
        kept = store.read_answer(request.organization, question)
        if kept is not None and context["builder"] is not None:
            context |= _answer(request, kept, context["builder"])
    context["awaits"] = bool(wants_run and context["reading"] is None)
    return respond(request, "analytics/show.html", context)


@allow(Permission.READ)
def builder(request: OrgRequest) -> HttpResponse:
    """The form, or, when one of its choices changed, what depends on that."""
    question = Question.of(request.GET)
    if request.GET.get("add") == "1":
        question = question.with_row()
    if number := request.GET.get("drop", ""):
        question = question.without_row(number)
    context = _frame(request, question)
    try:
        context["builder"] = Builder(request.organization, question, meta_of(request.organization))
    except OpenRouterError as error:
        context["trouble"] = trouble_of(error)
    is_part = request.htmx.target == "question-parts" and context["builder"] is not None
    fragment = "analytics/_parts_anew.html" if is_part else "analytics/_builder.html"
    return respond(request, "analytics/show.html", context, fragment=fragment)


@allow(Permission.READ)
def run(request: OrgRequest) -> HttpResponse:
    """The answer. Without htmx it is the page with it."""
    question = Question.of(request.GET)
    context = _frame(request, question)
    try:
        kept = ask(organization=request.organization, question=question)
        made = Builder(request.organization, question, meta_of(request.organization))
        context |= {"builder": made, **_answer(request, kept, made)}
    except Unfit as problem:
        context |= {"builder": _builder(request, question), "trouble": unfit(problem)}
    except OpenRouterError as error:
        context |= {"builder": _builder(request, question), "trouble": trouble_of(error)}
    response = respond(request, "analytics/show.html", context, fragment="analytics/_run.html")
    if wants_fragment(request) and request.htmx.trigger != SLOT:
        # The address is that of the page, which asks by itself, whoever opens it.
        number = request.GET.get("page", "")
        page = {"page": number} if number.isascii() and number.isdigit() else {}
        push_url(response, f"{_address(request)}?{question.query(run='1', **page)}")
    return response


@allow(Permission.READ)
def csv(request: OrgRequest) -> HttpResponseBase:
    """The answer as a file. One that is not kept any more is asked for again, as a press of Run would."""
    question = Question.of(request.GET)
    try:
        kept = ask(organization=request.organization, question=question)
        return stream(request.organization, Reading(kept, meta_of(request.organization), timezone.now()))
    except Unfit as problem:
        why = str(problem)
    except OpenRouterError as error:
        why = _why(error)
    return go(request, f"{_address(request)}?{question.query()}", problem=f"There is no file: {why}")


@allow(Permission.READ)
def asked_csv(request: OrgRequest, asking_id: int) -> HttpResponseBase:
    """The answer of a background question as a file, for as long as the page has it."""
    job = asking(request.organization, asking_id)
    kept = None if job.is_open else store.read_job(job.pk)
    why = "it is still being asked." if job.is_open else "the answer is not kept any more."
    if kept is not None:
        try:
            return stream(request.organization, Reading(kept, meta_of(request.organization), timezone.now()))
        except OpenRouterError as error:
            why = _why(error)
    address = _address(request, "asked", asking_id=job.pk)
    return go(request, address, problem=f"There is no file: {why}")


def _why(error: OpenRouterError) -> str:
    trouble = trouble_of(error)
    return " ".join(sentence(part) for part in (trouble.title, trouble.text, *trouble.steps) if part)


@allow(Permission.READ, methods=("POST",))
def ask_in_background(request: OrgRequest) -> HttpResponse:
    question = Question.of(QueryDict(request.POST.get("question", "")[:20_000]))
    try:
        job = asking_start(actor=request.user, organization=request.organization, question=question)
    except Unfit as problem:
        return go(request, _address(request), problem=str(problem))
    address = _address(request, "asked", asking_id=job.pk)
    if not wants_fragment(request):
        return go(request, address)
    context = {**_frame(request, question), "job": job}
    return push_url(
        respond(request, "analytics/show.html", context, fragment="analytics/_asked.html"), address
    )


@allow(Permission.READ)
def asked(request: OrgRequest, asking_id: int) -> HttpResponse:
    """A question that is asked in the background: how it stands, and its answer for a day."""
    job = asking(request.organization, asking_id)
    question = question_of(job)
    context = {**_frame(request, question), "job": job}
    kept = None if job.is_open else store.read_job(job.pk)
    if kept is not None:
        context |= _from_job(request, kept)
    elif not job.is_open:
        item = job.items.first()
        context["said"] = item.message if item and item.state != JobItem.State.OK else ""
        context["is_cancelled"] = job.state == Job.State.CANCELLED
    return respond(request, "analytics/show.html", context, fragment="analytics/_asked.html")


def _from_job(request: OrgRequest, kept: Kept) -> dict[str, Any]:
    try:
        meta = meta_of(request.organization)
    except OpenRouterError as error:
        return {"trouble": trouble_of(error)}
    made = Builder(request.organization, kept.question, meta)
    return {"builder": made, **_answer(request, kept, made)}


def _frame(request: OrgRequest, question: Question) -> dict[str, Any]:
    """What the page is drawn with before anything was asked."""
    organization = request.organization
    return {
        "organization": organization,
        "question": question,
        "builder": _builder(request, question),
        "saved": saved_queries(organization)[:FIRST] if not request.htmx else [],
        "asked": asked_lately(organization)[:3] if not request.htmx else [],
        "may_save": bool(MAY_SAVE & request.may),
        "reading": None,
        "trouble": None,
        "awaits": False,
        "job": None,
        "said": "",
        "is_cancelled": False,
        "now": timezone.now(),
    }


def _builder(request: OrgRequest, question: Question) -> Builder | None:
    """The form, where it is known what can be asked."""
    meta = store.read_meta(request.organization)
    return Builder(request.organization, question, meta) if meta else None


def _answer(request: OrgRequest, kept: Kept, made: Builder) -> dict[str, Any]:
    reading = Reading(kept, made.meta, timezone.now())
    return {
        "reading": reading,
        "gallery": pictures(reading),
        "page": page_of(len(reading.rows), request.GET.get("page"), reading.lines),
    }


def _address(request: OrgRequest, name: str = "show", **kwargs: Any) -> str:
    return reverse(f"analytics:{name}", kwargs={"organization": request.organization.slug, **kwargs})
