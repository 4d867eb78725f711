"""A large organization with rules: 1,000 guardrails, 200 workspaces with budgets, 2,000 members, 10,000 keys,
800 models; and 30 days of use of those whom an assignment would concern."""

from __future__ import annotations

import random
import statistics
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogEndpoint, CatalogModel, CatalogProvider, CatalogState
from orgadmin.guardrails.assigning import KEYS, MEMBERS, subjects_of_keys, subjects_of_members
from orgadmin.guardrails.meaning import meaning
from orgadmin.inventory.models import (
    Guardrail,
    Key,
    KeyAssignment,
    Member,
    MemberAssignment,
    SyncRun,
    Workspace,
    WorkspaceBudgets,
    WorkspaceMember,
)
from orgadmin.inventory.nouns import NOUNS
from orgadmin.inventory.summary import refresh_summary
from orgadmin.inventory.workspace_models import place_of
from orgadmin.usage.clock import last_complete_day
from orgadmin.usage.models import DaySum, Source, UsageModel, UsageProvider
from orgadmin.usage.store import Fact, Scope, replace_facts
from tests.bench import accounts

GUARDRAILS, WORKSPACES, MEMBERS_OF, MODELS, PROVIDERS, ENDPOINTS = 1000, 200, 2000, 800, 60, 3000
SUBJECTS, DAYS, FAVOURITES = 200, 30, 8


def fill(organization: Organization) -> None:
    """Beside the keys that are there: everything else, in bulk."""
    dice = random.Random(11)
    people_and_places(organization)
    members = list(Member.objects.filter(organization=organization))
    workspaces = list(Workspace.objects.filter(organization=organization))
    keys = list(Key.objects.filter(organization=organization))
    for at, key in enumerate(keys):
        key.owner, key.workspace = members[at % len(members)], workspaces[at % len(workspaces)]
        key.creator_user_id, key.workspace_uid = key.owner.uid, key.workspace.uid
        key.limit, key.limit_remaining, key.limit_reset = (100, dice.randrange(100), "monthly")
    Key.objects.bulk_update(
        keys,
        [
            "owner",
            "workspace",
            "creator_user_id",
            "workspace_uid",
            "limit",
            "limit_remaining",
            "limit_reset",
        ],
        batch_size=500,
    )
    _guardrails(organization, workspaces, keys, members, dice)
    catalog(organization)
    accounts.fill(organization)
    _use(organization, keys, dice)
    now = timezone.now()
    for kind in NOUNS:
        SyncRun.objects.create(
            organization=organization, kind=kind, state=SyncRun.State.OK, started_at=now, finished_at=now
        )
    refresh_summary(organization)


def people_and_places(organization: Organization, *, members: int = MEMBERS_OF) -> None:
    have = Member.objects.filter(organization=organization).count()
    Member.objects.bulk_create(
        Member(
            organization=organization,
            uid=f"user_bench{n:06d}",
            email=f"member.{n}@bench.example",
            first_name=f"Member {n}",
            role="org:member",
        )
        for n in range(have, members)
    )
    have = Workspace.objects.filter(organization=organization).count()
    Workspace.objects.bulk_create(
        Workspace(
            organization=organization,
            uid=str(uuid.UUID(int=n)),
            name=f"Workspace {n}",
            slug=f"workspace-{n}",
            created_at=timezone.now() - timedelta(days=400),
            default_guardrail_id=str(uuid.UUID(int=10**6 + n)),
        )
        for n in range(have, WORKSPACES)
    )


def _guardrails(
    organization: Organization,
    workspaces: list[Workspace],
    keys: list[Key],
    members: list[Member],
    dice: random.Random,
) -> None:
    rows = Guardrail.objects.bulk_create(
        Guardrail(
            organization=organization,
            uid=str(uuid.UUID(int=10**7 + n)),
            name=f"Guardrail {n}",
            workspace_uid=workspaces[n % len(workspaces)].uid,
            limit_usd=50 + n,
            reset_interval=("daily", "weekly", "monthly")[n % 3],
            allowed_models=[f"author-{m % 40}/model-{m}" for m in dice.sample(range(MODELS), 20)]
            if n % 2
            else None,
            ignored_providers=[f"provider-{n % PROVIDERS}"],
        )
        for n in range(GUARDRAILS)
    )
    assigned = {"organization": organization, "assigned_by": None}
    KeyAssignment.objects.bulk_create(
        KeyAssignment(
            key_hash=key.hash,
            key_name=key.name,
            uid=f"k{at}",
            guardrail_uid=rows[at % len(rows)].uid,
            **assigned,
        )
        for at, key in enumerate(keys[::2])
    )
    MemberAssignment.objects.bulk_create(
        MemberAssignment(user_id=one.uid, uid=f"m{at}", guardrail_uid=rows[at % len(rows)].uid, **assigned)
        for at, one in enumerate(members[::2])
    )
    WorkspaceBudgets.objects.bulk_create(
        WorkspaceBudgets(
            organization=organization, workspace_uid=one.uid, daily=10, weekly=60, monthly=200, lifetime=5000
        )
        for one in workspaces
    )
    WorkspaceMember.objects.bulk_create(
        WorkspaceMember(
            organization=organization,
            place=place_of(workspace.uid, member.uid),
            uid=f"p{at}-{number}",
            workspace_uid=workspace.uid,
            user_id=member.uid,
            role="member",
        )
        for at, workspace in enumerate(workspaces)
        for number, member in enumerate(members[at * 10 : at * 10 + 50])
    )


def catalog(organization: Organization) -> None:
    now = timezone.now()
    CatalogState.objects.create(organization=organization, zdr=[], zdr_at=now, round_at=now)
    CatalogProvider.objects.bulk_create(
        CatalogProvider(organization=organization, slug=f"provider-{n}", name=f"Provider {n}")
        for n in range(PROVIDERS)
    )
    models = CatalogModel.objects.bulk_create(
        CatalogModel(
            organization=organization,
            slug=f"author-{n % 40}/model-{n}",
            permaslug=f"author-{n % 40}/model-{n}",
            listed_as=f"author-{n % 40}/model-{n}",
            name=f"Author {n % 40}: Model {n}",
            context_length=128_000,
            input_modalities=["text"],
            output_modalities=["text"],
            prompt="0.000001",
            completion="0.000004",
            prices={"prompt": "0.000001", "completion": "0.000004"},
            endpoints_at=now,
            endpoints_asked_at=now,
        )
        for n in range(MODELS)
    )
    CatalogEndpoint.objects.bulk_create(
        CatalogEndpoint(
            organization=organization,
            model=models[n % MODELS],
            tag=f"provider-{n % PROVIDERS}/{n}",
            permaslug=models[n % MODELS].permaslug,
            provider=f"provider-{n % PROVIDERS}",
            provider_name=f"Provider {n % PROVIDERS}",
            is_zdr=n % 3 == 0,
        )
        for n in range(ENDPOINTS)
    )


def _use(organization: Organization, keys: list[Key], dice: random.Random) -> None:
    """Thirty days of the first two thousand keys: eight models a day each."""
    models = UsageModel.objects.bulk_create(
        UsageModel(permaslug=f"author-{n % 40}/model-{n}", slug=f"author-{n % 40}/model-{n}")
        for n in range(MODELS)
    )
    providers = UsageProvider.objects.bulk_create(
        UsageProvider(name=f"Provider {n}") for n in range(PROVIDERS)
    )
    last = last_complete_day()
    first = last - timedelta(days=DAYS - 1)
    used = keys[:2000]
    for start in range(0, len(used), 200):
        some = used[start : start + 200]
        facts: list[Fact] = []
        for key in some:
            favourites = dice.sample(range(MODELS), FAVOURITES)
            facts += [
                (
                    first + timedelta(days=day),
                    key.pk,
                    key.owner_id or 0,
                    key.workspace_id or 0,
                    models[number].pk,
                    number + 1,
                    providers[number % PROVIDERS].pk,
                    *(5, 1000, 200, 0, 0),
                    dice.randrange(1, 10**9),
                    0,
                )
                for day in range(DAYS)
                for number in favourites
            ]
        scopes = [Scope(key.pk, first, last) for key in some]
        replace_facts(organization_id=organization.pk, scopes=scopes, facts=facts)
    DaySum.objects.bulk_create(
        DaySum(organization=organization, day=first + timedelta(days=at), source=Source.ACTIVITY)
        for at in range(DAYS)
    )


def preview(organization: Organization) -> Mapping[str, float]:
    """Milliseconds to say what an assignment to 200 keys, and to 200 members, would mean: medians of five."""
    guardrail = Guardrail.objects.filter(organization=organization, allowed_models__isnull=False)[0]
    keys = subjects_of_keys(Key.objects.filter(organization=organization).order_by("pk")[:SUBJECTS])
    people = Member.objects.filter(organization=organization, keys__isnull=False).distinct().order_by("pk")
    members = subjects_of_members(people[:SUBJECTS])
    assert meaning(guardrail, KEYS, keys).dollars > 0
    return {
        "200 keys": _median(lambda: meaning(guardrail, KEYS, keys)),
        "200 members": _median(lambda: meaning(guardrail, MEMBERS, members)),
    }


def _median(call: Any) -> float:
    call()
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return round(statistics.median(taken) * 1000, 1)


def addresses(organization: Organization) -> dict[str, str]:
    """The pages of control, by what they are called."""
    key = Key.objects.filter(organization=organization).order_by("pk")[0]
    member = Member.objects.filter(organization=organization).order_by("pk")[0]
    workspace = Workspace.objects.filter(organization=organization).order_by("pk")[0]
    guardrail = Guardrail.objects.filter(organization=organization).order_by("pk")[0]
    base = "/o/bench"
    return {
        "keys": f"{base}/keys/",
        "guardrails": f"{base}/guardrails/",
        "guardrail": f"{base}/guardrails/{guardrail.uid}/",
        "guardrail, edit": f"{base}/guardrails/{guardrail.uid}/edit/",
        "budgets": f"{base}/budgets/",
        "budgets, search": f"{base}/budgets/?q=guardrail+7",
        "workspaces": f"{base}/workspaces/",
        "workspace": f"{base}/workspaces/{workspace.uid}/",
        "workspace, budgets": f"{base}/workspaces/{workspace.uid}/budgets/panel/",
        "workspace, members": f"{base}/workspaces/{workspace.uid}/members/",
        "members": f"{base}/members/",
        "member": f"{base}/members/{member.uid}/",
        "leaver": f"{base}/members/{member.uid}/leaving/",
        "policy of a key": f"{base}/policy/?key={key.hash}",
        "policy, a model asked": f"{base}/policy/?key={key.hash}&model=author-1/model-1",
        "models": f"{base}/models/",
        "model": f"{base}/models/author-1/model-1/",
        "policy of a workspace": f"{base}/policy/?workspace={workspace.uid}",
        **accounts.addresses(),
    }
