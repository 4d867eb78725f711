"""The list of destinations and one of them, as people see them."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Destination, Key, Workspace
from tests.conftest import Sync
from tests.observability.conftest import at
from tests.observability.posts import stranger
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def text_of(response: Any) -> str:
    bare = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", html.unescape(bare))


def test_the_list_says_state_scope_sampling_and_privacy(desk: Client, synced: Organization) -> None:
    page = text_of(desk.get(at()))
    for row in Destination.objects.all():
        assert str(row) in page
    assert "Datadog" in page
    assert "2 keys" in page
    assert "25 %" in page
    assert "metadata only" in page
    assert "total cost is more than $0.05" in page
    assert "Enabled, nothing sent" in page
    assert "Sending" in page


def test_it_is_by_type_and_can_be_filtered_and_sorted(desk: Client, workspace: Workspace) -> None:
    def names(query: str) -> list[str]:
        page = desk.get(at() + query).content.decode()
        return [html.unescape(one) for one in re.findall(r'<a class="name"[^>]*>([^<]*)</a>', page)]

    assert names("")[:1] == ["Support in Datadog"]
    assert set(names("?type=langfuse")) == {"Production Langfuse", "Langfuse <EU> – Datenschutz"}
    assert "Collector" not in names(f"?workspace={workspace.slug}")
    assert names("?state=silent") == ["Collector"]
    assert names("?q=support+datadog") == ["Support in Datadog"]
    assert names("?sort=-sampling")[-1] in {"Trial", "Collector"}
    assert names("?q=nothing-like-it") == []
    assert "No destination matches" in desk.get(at() + "?q=nothing-like-it").content.decode()


def test_the_list_asks_as_often_for_one_as_for_many(
    desk: Client, langfuse: Destination, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    copies = [
        Destination(organization=langfuse.organization, uid=f"c{number}", type="langfuse", name=f"C{number}",
                    workspace_uid=langfuse.workspace_uid, enabled=True, privacy_mode=False)
        for number in range(60)
    ]  # fmt: skip
    Destination.objects.bulk_create(copies)
    with django_assert_max_num_queries(10):
        desk.get(at())


def test_the_csv_has_what_the_list_has(desk: Client, synced: Organization) -> None:
    response: Any = desk.get(at("csv") + "?type=datadog")
    lines = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    (line,) = lines
    assert (line["type"], line["name"], line["keys"]) == ("Datadog", "Support in Datadog", "2")
    assert (line["sampling_percent"], line["privacy_mode"]) == ("25", "yes")
    assert line["filter_rules"] == "total cost is more than $0.05 or finish reason is “error”"


def test_one_shows_its_secrets_as_masks_and_its_keys_by_name(desk: Client, synced: Organization) -> None:
    row = Destination.objects.get(type="datadog")
    page = text_of(desk.get(at(row.uid)))
    assert row.config["apiKey"] in page
    assert "..." in row.config["apiKey"]
    for key in Key.objects.filter(hash__in=row.api_key_hashes or []):
        assert key.name in page
    assert "A trace passes only if any of these hold:" in page
    assert "finish reason is “error”" in page
    assert "Prompts and completions are stripped" in page or "prompts and completions are stripped" in page


def test_one_says_where_nothing_is_sent_and_why(
    desk: Client, synced: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    silent = Destination.objects.get(type="otel-collector")
    page = desk.get(at(silent.uid)).content.decode()
    assert "broadcasting is off in" in page
    assert f"/workspaces/{silent.workspace_uid}/edit/" in page
    sandbox.sandbox.outside.update_workspace(silent.workspace_uid, is_observability_broadcast_enabled=True)
    sync("workspaces")
    assert "broadcasting is off in" not in desk.get(at(silent.uid)).content.decode()
    sandbox.sandbox.outside.delete_destination(silent.uid)
    sync("destinations")
    page = desk.get(at(silent.uid)).content.decode()
    assert "no longer exists" in page
    assert "Delete…" not in page


def test_a_type_that_nobody_has_heard_of_is_shown(desk: Client, synced: Organization) -> None:
    row = stranger(synced)
    assert "new to this dashboard" in text_of(desk.get(at()))
    page = text_of(desk.get(at(row.uid)))
    assert "newer than this dashboard" in page
    assert "Edit as JSON" in page
    assert "sk-l...AbCd" in page


def test_rules_that_cannot_be_read_are_told(desk: Client, langfuse: Destination) -> None:
    Destination.objects.filter(pk=langfuse.pk).update(lacks=["filter_rules"], extra={"filter_rules": "new"})
    assert "cannot read" in desk.get(at(langfuse.uid)).content.decode()
    assert "stay as they are" in text_of(desk.get(at(langfuse.uid, "edit")))


def test_no_such_destination(desk: Client, synced: Organization) -> None:
    assert desk.get(at("nothing")).status_code == 404
