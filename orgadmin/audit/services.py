"""Writing the audit log. Each change calls ``start`` before and one outcome after; nothing else writes."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import ActorKind, Entry, Outcome
from orgadmin.audit.text import in_every_text, writable
from orgadmin.audit.words import field_words

MOST_DIGITS = 40
_SECRET = re.compile(r"sk-or-v1-[A-Za-z0-9]{12,}")


@dataclass(frozen=True)
class Target:
    """What an act is about: ``type`` is OpenRouter's noun in the singular, ``id`` its identity there."""

    type: str
    id: str
    name: str


class AlreadySubmitted(Exception):
    """The same form arrived twice; ``entry`` is the act the first one started."""

    def __init__(self, entry: Entry) -> None:
        super().__init__("This form was already sent.")
        self.entry = entry


@dataclass
class _Around:
    """What acts that are started meanwhile take from around them."""

    entry: Entry | None
    form_token: uuid.UUID | None


_around: ContextVar[_Around | None] = ContextVar("around", default=None)


@contextmanager
def restoring(entry: Entry, form_token: uuid.UUID) -> Iterator[None]:
    """What is started meanwhile restores ``entry``, and the first of it spends the form's token unless it has
    one of its own."""
    with _with(_Around(entry, form_token)):
        yield


@contextmanager
def once(form_token: uuid.UUID) -> Iterator[None]:
    """The first act that is started meanwhile spends the form's token, unless it has one of its own."""
    with _with(_Around(None, form_token)):
        yield


@contextmanager
def _with(around: _Around) -> Iterator[None]:
    before = _around.set(around)
    try:
        yield
    finally:
        _around.reset(before)


def start(
    *,
    actor: User | None,
    organization: Organization,
    action: str,
    target: Target,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    form_token: uuid.UUID | None = None,
) -> Entry:
    """Note that an act begins, committed before OpenRouter hears of it.

    Raises AlreadySubmitted when ``form_token`` was used before (a double click, a reload).
    """
    around = _around.get()
    if around is not None:
        if form_token is None and actor is not None and around.form_token is not None:
            form_token = uuid.uuid5(around.form_token, f"{organization.pk}:{actor.pk}")
        around.form_token = None
    try:
        with transaction.atomic():
            return _write(
                actor=actor,
                organization=organization,
                action=action,
                target=target,
                before=before,
                after=after,
                outcome=Outcome.STARTED,
                form_token=form_token,
                restores=around.entry if around else None,
            )
    except IntegrityError:
        first = Entry.objects.filter(form_token=form_token, organization=organization).first()
        if form_token is None or first is None:
            raise
        raise AlreadySubmitted(first) from None


def finish(
    started: Entry,
    *,
    outcome: Outcome,
    message: str = "",
    target: Target | None = None,
    after: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> Entry:
    """Append the outcome of a started act. ``target`` and ``after`` say what upstream really made of it."""
    entry = outcome_entry(
        started, outcome=outcome, message=message, target=target, after=after, request_id=request_id
    )
    entry.save()
    return entry


def outcome_entry(
    started: Entry,
    *,
    outcome: Outcome,
    message: str = "",
    target: Target | None = None,
    after: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> Entry:
    """The unsaved outcome row of a started act."""
    return Entry(
        organization_id=started.organization_id,
        actor_kind=started.actor_kind,
        actor_id=started.actor_id,
        actor_name=started.actor_name,
        action=started.action,
        target_type=started.target_type,
        target_id=_masked(target.id if target else started.target_id)[:100],
        target_name=_masked(target.name if target else started.target_name)[:300],
        before=started.before,
        after=_clean(after if after is not None else started.after),
        outcome=outcome,
        message=_masked(message),
        upstream_request_id=_masked(request_id or "")[:200],
        about=started,
    )


def comparable(column: str, value: Any) -> Any:
    """A column's value as the log stores it, so that an entry read back can be held against a live value.

    Money becomes a plain decimal string without trailing zeros, a moment its ISO spelling in UTC. The column
    says which of them it is: a key may be called 1e2, 9e9999999 or 2027-01-31T00:00:00Z.
    """
    kind = field_words(column).kind
    if kind == "money" and isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return _plain_amount(value)
    if column == "config" and isinstance(value, Mapping):
        # What a mask shows of a secret is up to OpenRouter: two of them are alike.
        return in_every_text(value, lambda text: "..." if "..." in text else text)
    if isinstance(value, list | tuple):
        # OpenRouter keeps no order, and puts labels of its own on builtin filters.
        return sorted({_one_of_a_list(column, one) for one in value})
    if column == "label" and isinstance(value, str):
        # Masks differ in how they begin; what they end with tells one key from another.
        return value[-4:]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.replace("+00:00", "Z") if kind == "moment" and isinstance(value, str) else value


def _one_of_a_list(column: str, value: Any) -> str:
    if column == "content_filter_builtins" and isinstance(value, Mapping):
        value = {name: part for name, part in value.items() if name != "label"}
    return json.dumps(value, sort_keys=True, default=str)


def _plain_amount(value: str | int | Decimal) -> str:
    try:
        amount = Decimal(value)
        # Spelled out, an exponent of millions is millions of digits; no amount has more than these.
        return f"{amount.normalize():f}" if abs(amount.adjusted()) < MOST_DIGITS else str(value)
    except ArithmeticError:
        return str(value)


def note(
    *,
    actor: User | None,
    organization: Organization,
    action: str,
    target: Target,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    message: str = "",
) -> Entry:
    """An act of this dashboard that needs no answer from upstream: people, roles, the connection."""
    return _write(
        actor=actor,
        organization=organization,
        action=action,
        target=target,
        before=before,
        after=after,
        outcome=Outcome.OK,
        message=message,
    )


def outside_entry(
    *,
    organization: Organization,
    action: str,
    target: Target,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> Entry:
    """An unsaved entry for a change that somebody made elsewhere; pulls insert them in bulk."""
    return Entry(
        organization=organization,
        actor_kind=ActorKind.OUTSIDE,
        actor_name="Outside this dashboard",
        action=action,
        target_type=target.type,
        target_id=_masked(target.id)[:100],
        target_name=_masked(target.name)[:300],
        before=_clean(before),
        after=_clean(after),
        outcome=Outcome.OK,
    )


def _write(
    *,
    actor: User | None,
    organization: Organization,
    action: str,
    target: Target,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    outcome: Outcome,
    message: str = "",
    form_token: uuid.UUID | None = None,
    restores: Entry | None = None,
) -> Entry:
    return Entry.objects.create(
        organization=organization,
        actor_kind=ActorKind.PERSON if actor else ActorKind.SYSTEM,
        actor=actor,
        actor_name=_masked(str(actor))[:300] if actor else "This dashboard",
        action=action,
        target_type=target.type,
        target_id=_masked(target.id)[:100],
        target_name=_masked(target.name)[:300],
        before=_clean(before),
        after=_clean(after),
        outcome=outcome,
        message=_masked(message),
        form_token=form_token,
        restores=restores,
    )


def _clean(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A copy in which nothing looks like a key, at whatever depth: the log is read by many."""
    return None if values is None else dict(in_every_text(values, _masked))


def _masked(text: str) -> str:
    """The text as it may be kept: no secrets, and nothing that a database refuses."""
    return _SECRET.sub("sk-or-v1-•••", writable(text))
