"""The rest of an account: credentials, destinations and presets, a few of each in every workspace."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Credential, Destination, Key, Preset, PresetVersion, Workspace

PROVIDERS = ("openai", "anthropic", "azure", "google-vertex", "mistral", "groq", "together", "xai")
CREDENTIALS, DESTINATIONS, PRESETS, VERSIONS = 2, 3, 2, 3


def fill(organization: Organization) -> None:
    """Beside the workspaces and the keys that are there. The BYOK of every third key escapes its limit."""
    places = list(Workspace.objects.filter(organization=organization).values_list("uid", flat=True))
    hashes = list(Key.objects.filter(organization=organization).values_list("hash", flat=True)[:1000])
    Credential.objects.bulk_create(
        Credential(
            organization=organization,
            uid=f"credential-{at}-{number}",
            provider=PROVIDERS[(at + number) % len(PROVIDERS)],
            name=f"Account {at} of {number}",
            label="sk-...AbCd",
            workspace_uid=place,
            is_fallback=bool(number % 2),
            allowed_api_key_hashes=[hashes[at % len(hashes)]] if at % 3 == 0 else None,
        )
        for at, place in enumerate(places)
        for number in range(CREDENTIALS)
    )
    Destination.objects.bulk_create(
        Destination(
            organization=organization,
            uid=f"destination-{at}-{number}",
            type=("langfuse", "datadog", "webhook")[number % 3],
            name=f"Traces {at} of {number}",
            workspace_uid=place,
            enabled=True,
            privacy_mode=bool(at % 2),
            config={"url": "https://bench.example"},
        )
        for at, place in enumerate(places)
        for number in range(DESTINATIONS)
    )
    presets = [
        Preset(
            organization=organization,
            uid=f"preset-{at}-{number}",
            slug=f"assistant-{at}-{number}",
            name=f"assistant-{at}-{number}",
            status="active",
            live_version=VERSIONS,
            newest_version=VERSIONS,
            pinned_models=[f"author-{at % 40}/model-{at}"],
            workspace_uid=place,
        )
        for at, place in enumerate(places)
        for number in range(PRESETS)
    ]
    Preset.objects.bulk_create(presets)
    PresetVersion.objects.bulk_create(
        PresetVersion(
            organization=organization,
            preset_uid=preset.uid,
            uid=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{preset.uid} {number}")),
            number=number,
            settings=f'{{"model": "{preset.pinned_models[0]}", "temperature": 0.{number}}}',
            system_prompt="Be kind.\n" * 20 * number,
        )
        for preset in presets
        for number in range(1, VERSIONS + 1)
    )
    keys = list(Key.objects.filter(organization=organization).order_by("pk"))[::3]
    for key in keys:
        key.include_byok_in_limit, key.byok_usage, key.byok_usage_monthly = False, 9, 2
    Key.objects.bulk_update(
        keys, ["include_byok_in_limit", "byok_usage", "byok_usage_monthly"], batch_size=500
    )


def addresses() -> Mapping[str, str]:
    """The pages, by what they are called."""
    base = "/o/bench"
    return {
        "BYOK": f"{base}/byok/",
        "BYOK coverage": f"{base}/byok/coverage/",
        "credential": f"{base}/byok/credential-0-0/",
        "observability": f"{base}/observability/",
        "destination": f"{base}/observability/destination-0-0/",
        "presets": f"{base}/presets/",
        "preset": f"{base}/presets/preset-0-0/",
        "preset, two versions": f"{base}/presets/preset-0-0/compare/",
    }
