"""Observability destinations as they are mirrored: no secret among them, and no change that nobody made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.audit.services import comparable
from orgadmin.inventory.destination_config import is_mask, kept_config, masked
from orgadmin.inventory.destination_nouns import plain
from orgadmin.inventory.destination_types import TYPES
from orgadmin.inventory.models import Destination, Workspace
from orgadmin.openrouter import destinations
from orgadmin.sandbox.wire.destination_fields import KINDS
from tests.conftest import Sync
from tests.sandbox_server import RunningSandbox

RAW = "sk-lf-0123456789abcdefAbCd"


def outside() -> list[tuple[str, str]]:
    return list(Entry.objects.filter(actor_kind="outside").values_list("action", "target_name"))


@pytest.mark.django_db
def test_those_of_every_workspace_are_there(
    organization: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    sync()
    rows = {row.uid: row for row in Destination.objects.all()}
    assert rows.keys() == {row.id for row in sandbox.sandbox.account.destinations}
    for uid, row in rows.items():
        upstream = sandbox.sandbox.destination(uid)
        assert (row.name, row.type, row.enabled) == (upstream["name"], upstream["type"], upstream["enabled"])
        assert (row.filter_rules, row.sampling_rate) == (upstream["filter_rules"], upstream["sampling_rate"])
        assert (row.regions, row.lacks, row.extra) == (upstream["regions"], [], {})
    sync()
    assert outside() == []
    organization.refresh_from_db()
    assert organization.summary["destinations"] == len(rows)


@pytest.mark.django_db
def test_changes_made_elsewhere_are_in_the_log_without_secrets(
    synced: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    elsewhere = sandbox.sandbox.outside
    row = Destination.objects.filter(type="langfuse").order_by("pk")[0]
    elsewhere.update_destination(row.uid, name="Renamed", sampling_rate=0.5, config={"secretKey": RAW})
    made = elsewhere.create_destination(kind="raindrop", name=None, config={"write_key": RAW, "lanes": 2})
    sync()
    sync()
    row.refresh_from_db()
    assert (row.name, row.sampling_rate, row.config["secretKey"]) == ("Renamed", 0.5, "sk-l...AbCd")
    stranger = Destination.objects.get(uid=made)
    assert (str(stranger), stranger.config) == (
        "raindrop without a name",
        {"write_key": "sk-l...AbCd", "lanes": 2},
    )
    assert sorted(outside()) == [
        ("destination.create", "raindrop without a name"),
        ("destination.update", "Renamed"),
    ]
    assert RAW not in repr(list(Entry.objects.values_list("before", "after")))


@pytest.mark.django_db
def test_the_same_said_otherwise_is_no_change(
    synced: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    row = Destination.objects.filter(type="langfuse").order_by("pk")[0]
    state = sandbox.sandbox.account.destinations.get(row.uid)
    before = dict(state.config)
    state.config = {
        "public_key": before["publicKey"].replace("...", "…"),
        "secretKey": before["secretKey"].replace("...", "••••"),
        "headers": {},
    } | ({} if before["baseUrl"] == "https://us.cloud.langfuse.com" else {"base_url": before["baseUrl"]})
    sync()
    assert outside() == []


@pytest.mark.django_db
def test_a_deleted_one_is_gone_and_those_of_a_deleted_workspace_are_off(
    synced: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    first, second = Destination.objects.exclude(
        workspace_uid=synced.default_workspace_uid or sandbox.sandbox.account.workspaces.default_id
    ).order_by("pk")[:2]
    sandbox.sandbox.outside.delete_destination(first.uid)
    place = Workspace.objects.get(uid=second.workspace_uid)
    sandbox.sandbox.outside.delete_workspace(place.uid)
    sync()
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.gone_at is not None
    assert (second.gone_at, second.enabled) == (None, False)
    assert ("destination.delete", first.name) in outside()


def row_of(**fields: Any) -> Any:
    known = {
        "id": "1", "type": "langfuse", "name": "x", "enabled": True, "workspace_id": "w", "config": {},
        "privacy_mode": False, "sampling_rate": 1, "created_at": None,
    }  # fmt: skip
    return plain(destinations.Destination(**{**known, **fields}))


def test_what_a_server_does_not_know_is_named() -> None:
    bare = row_of()
    assert {"regions", "filter_rules", "broadcast_generation_cost"} <= set(bare.lacks)
    assert bare.regions is None


def test_a_field_that_nobody_knows_is_kept_without_what_sounds_secret() -> None:
    found = row_of(extra={"api_token": RAW, "note": "n", "nested": {"password": "p" * 20, "n": 1}})
    assert found.extra == {
        "api_token": "sk-l...AbCd",
        "note": "n",
        "nested": {"password": "pppp...pppp", "n": 1},
    }


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (RAW, "sk-l...AbCd"), ("short", "..."), ("", ""), ("sk-l...AbCd", "sk-l...AbCd"),
        ("sk-lf-01...89AbCd", "sk-l...AbCd"), ("sk-l…AbCd", "sk-l...AbCd"), ("••••AbCd", "...AbCd"),
        ("********", "..."), ("...", "..."),
    ],
)  # fmt: skip
def test_every_way_to_draw_a_mask_is_one(raw: str, shown: str) -> None:
    assert masked(raw) == shown
    assert masked(shown) == shown
    assert is_mask(shown) is bool(shown)


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_of_any_type_is_kept(kind: str) -> None:
    spec = KINDS[kind]
    config: dict[str, Any] = dict.fromkeys(spec.names, RAW) | {"headers": {"X": RAW, "A": "Bearer " + RAW}}
    kept = kept_config(kind, config)
    for name in {*spec.secret, "headers"}:
        assert RAW not in repr(kept[name])
    assert {one.name for one in TYPES[kind].settings} == set(spec.names) - {"headers"}
    assert {one.name for one in TYPES[kind].settings if one.secret} == spec.secret
    assert {one.name for one in TYPES[kind].settings if one.required} == set(spec.needed)
    assert {one.name: one.default for one in TYPES[kind].settings if one.default} == spec.given


@pytest.mark.parametrize(
    ("kind", "config", "kept"),
    [
        ("webhook", {"url": "https://h.example/T0/B1/xyzzy"}, {"method": "POST", "url": "https://h.example/..."}),
        ("webhook", {"url": "https://h.example/..."}, {"method": "POST", "url": "https://h.example/..."}),
        ("otel-collector", {"endpoint": "https://u:p@h.example/v1?k=v"},
         {"endpoint": "https://...@h.example/v1?..."}),
        ("newrelic", {"license_key": RAW}, {"licenseKey": "sk-l...AbCd", "region": "us"}),
        ("newrelic", {"licenseKey": RAW, "new_secret": RAW, "more": RAW, "size": 5, "deep": {"token": RAW}},
         {"deep": {"token": "sk-l...AbCd"}, "licenseKey": "sk-l...AbCd", "more": "sk-l...AbCd",
          "new_secret": "sk-l...AbCd", "region": "us", "size": 5}),
        ("raindrop", {"write_key": RAW, "url": "https://r.example", "list": [{"password": RAW}]},
         {"list": [{"password": "sk-l...AbCd"}], "url": "https://r.example", "write_key": "sk-l...AbCd"}),
        ("raindrop", {"stream": "0123456789abcdef01234567", "note": "a long note of 24 letters and more"},
         {"stream": "0123...4567", "note": "a long note of 24 letters and more"}),
        ("raindrop", {"headers": [RAW, 5, None]}, {"headers": ["sk-l...AbCd", "...", None]}),
        ("webhook", {"url": 5, "headers": RAW},
         {"headers": "sk-l...AbCd", "method": "POST", "url": "..."}),
        ("webhook", {"url": "http://[broken"}, {"method": "POST", "url": "..."}),
    ],
)  # fmt: skip
def test_a_config_is_kept_in_one_spelling(
    kind: str, config: Mapping[str, Any], kept: Mapping[str, Any]
) -> None:
    assert kept_config(kind, config) == kept
    assert kept_config(kind, kept_config(kind, config)) == kept


def test_masks_are_alike_to_the_log() -> None:
    one, other = {"apiKey": "a...b", "baseUrl": "x"}, {"apiKey": "...", "baseUrl": "x"}
    assert comparable("config", one) == comparable("config", other)
    assert comparable("config", one) != comparable("config", {**other, "baseUrl": "y"})
