"""An organization of 30,000 objects, and what people type to find one of them: 20,000 keys, 8,700 members,
300 guardrails, 200 workspaces and 800 models. All but the keys are read through, whatever they are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from urllib.parse import urlencode

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogModel
from orgadmin.inventory.models import (
    Credential,
    Destination,
    Guardrail,
    Key,
    Member,
    Preset,
    Workspace,
)
from tests.bench import accounts, ruling
from tests.bench.pages import MISS, Target

KEYS, MEMBERS, GUARDRAILS = 20_000, 8_700, 300
FRAGMENT = {"HX-Request": "true"}


def fill(organization: Organization) -> int:
    """Beside the keys that are there: everything else, in bulk. How many objects there are then."""
    ruling.people_and_places(organization, members=MEMBERS)
    ruling.catalog(organization)
    accounts.fill(organization)
    places = list(Workspace.objects.filter(organization=organization).values_list("uid", flat=True))
    Guardrail.objects.bulk_create(
        (
            Guardrail(
                organization=organization,
                uid=str(uuid.UUID(int=10**30 * (n + 1))),
                name=f"Schutzgeländer für Gruppe {n}",
                workspace_uid=places[n % len(places)],
                description="What these people may use, and what they may spend.",
            )
            for n in range(GUARDRAILS)
        ),
        batch_size=500,
    )
    return sum(
        model._default_manager.filter(organization=organization, gone_at=None).count()
        for model in (
            *(Key, Member, Workspace, Guardrail, CatalogModel),
            *(Credential, Destination, Preset),
        )
    )


def targets(organization: Organization) -> Sequence[Target]:
    """What is typed, by what it is."""
    key = Key.objects.filter(organization=organization, gone_at=None).order_by("pk")[KEYS // 2]
    member = Member.objects.filter(organization=organization).order_by("-pk")[0]
    guardrail = Guardrail.objects.filter(organization=organization).order_by("-pk")[0]
    typed = {
        "nothing": "",
        "a letter": key.name[0],
        "two letters": key.name[:2],
        "two letters, no hit": "zq",
        "three letters": key.name[:3],
        "a name": key.name,
        "two words": "gruppe 77",
        "a word of many keys": "translation",
        "a word of all keys": "sk-or",
        "a word beyond ASCII": "SCHUTZGELÄNDER",
        "no hit": MISS,
        "a hash": key.hash,
        "the beginning of a hash": key.hash[:8],
        "the id of a guardrail": guardrail.uid,
        "the beginning of an id": guardrail.uid[:8],
        "an e-mail address": member.email,
        "a model's id": "author-1/model-1",
    }
    return [
        Target(name, f"/o/bench/search/?{urlencode({'q': query})}", headers=FRAGMENT)
        for name, query in typed.items()
    ]
