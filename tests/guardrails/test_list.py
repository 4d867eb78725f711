"""The list of guardrails: what each says, who holds it, and which enforce nothing."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Guardrail, KeyAssignment, Workspace
from tests.guardrails.conftest import at

pytestmark = pytest.mark.django_db


def row_with(text: str, name: str) -> str:
    """The row of the list that a name is in."""
    (row,) = [row for row in re.findall(r"<tr>.*?</tr>", text, re.S) if f">{name}</a>" in row]
    return str(row)


def test_a_row_says_the_rules_in_words_and_that_nobody_holds_it(desk: Client, strict: Guardrail) -> None:
    row = row_with(desk.get(at() + "?q=strict").content.decode(), "Strict")
    for words in (
        "3 models allowed",
        "1 provider ignored",
        "ZDR for Anthropic",
        "redacts e-mail addresses",
        "1 custom filter",
        "$50.00 a month each",
        "not enforced",
    ):
        assert words in row


def test_one_that_a_key_holds_is_enforced(desk: Client, strict: Guardrail, synced: Organization) -> None:
    KeyAssignment.objects.filter(organization=synced).delete()
    KeyAssignment.objects.create(
        organization=synced, key_hash="a" * 64, uid="x", guardrail_uid=strict.uid, key_name="k"
    )
    row = row_with(desk.get(at() + "?q=strict").content.decode(), "Strict")
    assert "not enforced" not in row
    assert '<td class="end">1</td>' in row


def test_a_default_guardrail_bears_its_workspaces_name_and_may_not_be_configured(
    desk: Client, workspace: Workspace
) -> None:
    Guardrail.objects.filter(uid=workspace.default_guardrail_id).delete()
    row = row_with(desk.get(at()).content.decode(), f"Default of {workspace.name}")
    assert "not configured" in row
    assert ">default</span>" in row
    Guardrail.objects.create(
        organization=workspace.organization,
        uid=workspace.default_guardrail_id,
        name="Workspace x Default",
        workspace_uid=workspace.uid,
        ignored_models=["a/b"],
    )
    row = row_with(desk.get(at()).content.decode(), f"Default of {workspace.name}")
    assert "1 model ignored" in row
    assert "not enforced" not in row


def test_workspace_and_order_are_chosen(desk: Client, strict: Guardrail, workspace: Workspace) -> None:
    other = Workspace.objects.exclude(pk=workspace.pk)[0]
    assert ">Strict</a>" in desk.get(f"{at()}?workspace={workspace.slug}").content.decode()
    assert ">Strict</a>" not in desk.get(f"{at()}?workspace={other.slug}").content.decode()
    Guardrail.objects.filter(pk=strict.pk).update(limit_usd="5000000")
    text = desk.get(f"{at()}?sort=-limit").content.decode()
    assert re.findall(r'<a class="name"[^>]*>([^<]*)</a>', text)[0] == "Strict"
    assert "No guardrail matches" in desk.get(f"{at()}?q=nowhere").content.decode()


def test_the_download_holds_what_the_list_shows(desk: Client, strict: Guardrail) -> None:
    response: Any = desk.get(at("csv") + "?q=strict")
    (line,) = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode()))
    assert (line["name"], line["limit_usd"], line["reset_interval"]) == ("Strict", "50.00", "monthly")
    assert "3 models allowed" in line["rules"]


def test_it_asks_the_same_few_questions_however_many_there_are(desk: Client, synced: Organization) -> None:
    desk.get(at())
    Guardrail.objects.bulk_create(
        Guardrail(organization=synced, uid=f"many-{number}", name=f"many {number}") for number in range(300)
    )
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert desk.get(at() + "?page=3").status_code == 200
    assert len(asked) <= 8, [query["sql"][:80] for query in asked]
