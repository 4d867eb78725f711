"""What an assignment would mean: who is newly covered, who is moved, and what of the last 30 days it would
have refused. Reads what we hold; nothing is asked upstream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Q, Sum

from orgadmin.accounts.models import Organization
from orgadmin.catalog.selectors import Served, served
from orgadmin.guardrails.assigning import KEYS, Side, Subject, held_by
from orgadmin.inventory.models import Guardrail, Key, Member
from orgadmin.policy.preview import Impact, IsZdr, Used, impacts
from orgadmin.policy.subjects import KEY, MEMBER, layer_of
from orgadmin.usage.clock import today
from orgadmin.usage.labels import labels
from orgadmin.usage.models import Dimension, UsageDay, UsageModel

DAYS = 30


@dataclass(frozen=True)
class Line:
    """One subject: what it holds now ("" is nothing) and what the guardrail would have meant for it; None
    where it used nothing."""

    subject: Subject
    held: str
    impact: Impact | None


@dataclass(frozen=True)
class Meaning:
    """``fresh`` hold nothing yet, ``moved`` leave another guardrail, ``same`` hold this one already. Within
    each, who would have lost most comes first."""

    fresh: list[Line]
    moved: list[Line]
    same: list[Line]

    @property
    def wanted(self) -> int:
        return len(self.fresh) + len(self.moved)

    @property
    def refused(self) -> Decimal:
        return sum((line.impact.refused for line in self._lines() if line.impact), Decimal(0))

    @property
    def rerouted(self) -> Decimal:
        return sum((line.impact.rerouted for line in self._lines() if line.impact), Decimal(0))

    @property
    def dollars(self) -> Decimal:
        return sum((line.impact.dollars for line in self._lines() if line.impact), Decimal(0))

    def _lines(self) -> list[Line]:
        return [*self.fresh, *self.moved]


def meaning(guardrail: Guardrail, side: Side, subjects: Sequence[Subject]) -> Meaning:
    """What it would mean to give the guardrail to these: a fixed number of queries, whatever theirs."""
    organization = guardrail.organization
    held = held_by(organization, side, [subject.uid for subject in subjects])
    names = dict(
        Guardrail.objects.filter(organization=organization, uid__in=set(held.values())).values_list(
            "uid", "name"
        )
    )
    if side is KEYS:
        numbers = _numbers(Key, "hash", organization, subjects)
        used = _used_by_keys(organization, numbers.values())
    else:
        numbers = _numbers(Member, "uid", organization, subjects)
        used = _used_by_members(organization, numbers.values())
    use, is_zdr = used
    found = impacts(layer_of(guardrail, KEY if side is KEYS else MEMBER), use, is_zdr)
    lines = [
        Line(
            subject,
            names.get(held.get(subject.uid, ""), held.get(subject.uid, "")),
            found.get(numbers.get(subject.uid, 0)),
        )
        for subject in subjects
    ]
    lines.sort(key=lambda line: -(line.impact.refused + line.impact.rerouted if line.impact else 0))
    return Meaning(
        fresh=[line for line in lines if line.subject.uid not in held],
        moved=[line for line in lines if held.get(line.subject.uid, guardrail.uid) != guardrail.uid],
        same=[line for line in lines if held.get(line.subject.uid) == guardrail.uid],
    )


def _never_known(model: str, provider: str) -> bool | None:
    return None


def _numbers(
    model: type[Key | Member], column: str, organization: Organization, subjects: Sequence[Subject]
) -> dict[str, int]:
    rows = model._default_manager.filter(
        organization=organization, **{f"{column}__in": [subject.uid for subject in subjects]}
    )
    return dict(rows.values_list(column, "pk"))


def _used_by_keys(organization: Organization, keys: Iterable[int]) -> tuple[list[Used], IsZdr]:
    return _used(organization, "key_id", Q(key_id__in=list(keys)))


def _used_by_members(organization: Organization, members: Iterable[int]) -> tuple[list[Used], IsZdr]:
    """A member's guardrail covers every key they made, and what they use without one."""
    return _used(organization, "member_id", Q(member_id__in=list(members)))


def _used(organization: Organization, column: str, whose: Q) -> tuple[list[Used], IsZdr]:
    until = today()
    facts = UsageDay.objects.filter(
        whose, organization_id=organization.pk, day__range=(until - timedelta(days=DAYS), until)
    )
    rows = list(
        facts.order_by()
        .values_list(column, "model_id", "provider_id")
        .annotate(Sum("usage"), Sum("byok_usage"), Sum("requests"))
    )
    models = dict(UsageModel.objects.filter(pk__in={row[1] for row in rows}).values_list("pk", "permaslug"))
    known = served(organization, models.values())
    providers = _slugs({row[2] for row in rows}, known)
    use = [
        Used(subject, models.get(model, ""), providers.get(provider, ""), usage + byok, requests)
        for subject, model, provider, usage, byok, requests in rows
    ]
    return use, known.is_zdr if known else _never_known


def _slugs(providers: Iterable[int], known: Served | None) -> Mapping[int, str]:
    """Activity names a provider as people do, a guardrail by its slug (FACTS trap 33). Before the catalog was
    pulled, the slug is what the name looks like."""

    def slug(name: str) -> str:
        return known.provider(name) if known else name.casefold().replace(" ", "-")

    return {
        pk: "" if pk == 0 else slug(label.text) for pk, label in labels(Dimension.PROVIDER, providers).items()
    }
