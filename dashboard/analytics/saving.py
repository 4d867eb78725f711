"""Saved queries: kept, renamed, deleted, each with its audit entry. OpenRouter hears nothing of them."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from dashboard.analytics.question import Question, params_of
from dashboard.analytics.services import in_words
from orgadmin.accounts.models import Organization, User
from orgadmin.audit.services import Target, note
from orgadmin.usage.models import SavedQuery

MOST = 200


class NameTaken(Exception):
    """Another query of the organization has the name, or there are too many."""


def query_save(*, actor: User, organization: Organization, name: str, question: Question) -> SavedQuery:
    """Raises NameTaken."""
    if SavedQuery.objects.filter(organization=organization).count() >= MOST:
        raise NameTaken(
            f"There are {MOST} saved queries, which is as many as there can be. Delete one first."
        )
    try:
        with transaction.atomic():
            saved = SavedQuery.objects.create(
                organization=organization, name=name, question=question.params(), created_by=actor
            )
            note(
                actor=actor,
                organization=organization,
                action="saved_query.create",
                target=_target(saved),
                after=_described(saved),
            )
    except IntegrityError:
        raise _taken(name) from None
    return saved


def query_rename(*, actor: User, saved: SavedQuery, name: str) -> bool:
    """False: that was its name already. Raises NameTaken."""
    before = saved.name
    if before == name:
        return False
    saved.name = name
    try:
        with transaction.atomic():
            saved.save(update_fields=["name"])
            note(
                actor=actor,
                organization=saved.organization,
                action="saved_query.rename",
                target=_target(saved),
                before={"name": before},
                after={"name": name},
            )
    except IntegrityError:
        saved.name = before
        raise _taken(name) from None
    return True


def query_delete(*, actor: User, saved: SavedQuery) -> None:
    with transaction.atomic():
        note(
            actor=actor,
            organization=saved.organization,
            action="saved_query.delete",
            target=_target(saved),
            before=_described(saved),
        )
        saved.delete()


def _taken(name: str) -> NameTaken:
    return NameTaken(f"Another saved query is called “{name}”. Choose another name.")


def _target(saved: SavedQuery) -> Target:
    return Target(type="saved_query", id=str(saved.pk), name=saved.name)


def _described(saved: SavedQuery) -> dict[str, str]:
    question = Question.of_params(params_of(saved.question))
    return {"name": saved.name, "question": in_words(question, {}), "address": question.query()}
