"""The palette finds every noun, by name and by id; what is met best comes first; one query in all."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard.navigation import GROUPS
from dashboard.search.nouns import NOUNS
from dashboard.search.pages import PAGES
from orgadmin.accounts.models import Organization, User
from orgadmin.catalog.models import CatalogModel
from orgadmin.inventory.mirror import Mirror
from orgadmin.inventory.models import Credential, Destination, Guardrail, Key, Member, Preset, Workspace
from tests.conftest import SignIn
from tests.dashboard.test_search import HTMX, SEARCH, groups, text_of

PRESET = "bf16a500-aaaa-4bbb-8ccc-000000000005"
DESTINATION = "ae05f400-aaaa-4bbb-8ccc-000000000004"
CREDENTIAL = "9cd4e300-aaaa-4bbb-8ccc-000000000003"
WORKSPACE, GUARDRAIL = "5a3c9f10-aaaa-4bbb-8ccc-000000000001", "7be1d200-aaaa-4bbb-8ccc-000000000002"


def things(organization: Organization) -> dict[str, tuple[Mirror, str, list[str]]]:
    """One of each noun: the row, what it is called, and its ids."""
    workspace = Workspace.objects.create(
        organization=organization, uid=WORKSPACE, name="Ärzte Zürich", slug="clinic"
    )
    guardrail = Guardrail.objects.create(
        organization=organization, uid=GUARDRAIL, name="Schutzgeländer", description="For trainees"
    )
    member = Member.objects.create(
        organization=organization,
        uid="user_2QUINCE99",
        first_name="Zoë",
        last_name="Ångström",
        email="z@q.test",
    )
    model = CatalogModel.objects.create(
        organization=organization,
        slug="qulab/quince-9",
        permaslug="qulab/quince-9-20260101",
        listed_as="qulab/quince-9-20260101",
        name="QuLab: Quince 9",
    )
    key = Key.objects.create(
        organization=organization,
        hash="abcd0f" + "7e" * 29,
        name="Öffnungszeiten",
        sort_name="öffnungszeiten",
        search_text="öffnungszeiten",
    )
    credential = Credential.objects.create(
        organization=organization, uid=CREDENTIAL, provider="openai", name="Ölquelle", label="sk-...AbCd"
    )
    destination = Destination.objects.create(
        organization=organization,
        uid=DESTINATION,
        type="webhook",
        name="Éclairage",
        enabled=True,
        privacy_mode=False,
    )
    preset = Preset.objects.create(organization=organization, uid=PRESET, slug="ohlau", name="Öhringen")
    return {
        "Presets": (preset, "Öhringen", [preset.uid]),
        "Destinations": (destination, "Éclairage", [destination.uid]),
        "BYOK credentials": (credential, "Ölquelle", [credential.uid]),
        "Workspaces": (workspace, "Ärzte Zürich", [workspace.uid]),
        "Guardrails": (guardrail, "Schutzgeländer", [guardrail.uid]),
        "Members": (member, "Zoë Ångström", [member.uid, member.email]),
        "Models": (model, "QuLab: Quince 9", [model.slug, model.permaslug]),
        "Keys": (key, "Öffnungszeiten", [key.hash]),
    }


def first(browser: Client, query: str) -> tuple[str, str]:
    """The heading of the first group, and what stands first in it."""
    found = groups(browser, query)
    heading = next(iter(found), "")
    return (heading, found[heading][0][0]) if found else ("", "")


def test_every_noun_is_found_by_name_and_by_id(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    made, browser = things(synced), sign_in(viewer)
    assert set(made) == {noun.heading for noun in NOUNS}
    for heading, (_, name, ids) in made.items():
        asked = [name, name.upper(), name.lower(), name[:5], name[2:], *ids]
        asked += [one.upper() for one in ids] + [one[:6] for one in ids if not one.startswith("user_")]
        for query in asked:
            assert first(browser, query) == (heading, name), query


def test_what_is_found_opens(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    browser = sign_in(viewer)
    for _, name, _ in things(synced).values():
        for hits in groups(browser, name).values():
            for label, _, url in hits:
                assert browser.get(url).status_code == 200, (label, url)


def test_few_characters_of_an_id_find_nothing(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    things(synced)
    browser = sign_in(viewer)
    assert "Guardrails" not in groups(browser, GUARDRAIL[:5])
    assert "Guardrails" not in groups(browser, GUARDRAIL[3:])


def test_a_whole_id_comes_first_and_so_does_its_group(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    things(synced)
    for number, name in enumerate(("a long one", "another")):
        Guardrail.objects.create(organization=synced, uid=f"{GUARDRAIL}{number}", name=name)
    for number in range(3):
        name = f"{GUARDRAIL} {number}"
        Key.objects.create(
            organization=synced, hash=f"{number:064x}", name=name, sort_name=name, search_text=name
        )
    found = groups(sign_in(viewer), GUARDRAIL)
    assert list(found) == ["Guardrails", "Keys"]
    assert [label for label, _, _ in found["Guardrails"]] == ["Schutzgeländer", "a long one", "another"]


def test_names_that_begin_so_come_before_words_elsewhere(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    for number, name in enumerate(["the quince", "quince", "a quince", "quince tree"]):
        Guardrail.objects.create(organization=synced, uid=f"q{number}", name=name)
    Guardrail.objects.create(organization=synced, uid="q", name="a fruit", description="The quince")
    found = groups(sign_in(viewer), "Quince")["Guardrails"]
    assert [label for label, _, _ in found] == ["quince", "quince tree", "a quince", "the quince", "a fruit"]


def test_one_or_two_letters_find_beginnings_alone(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    things(synced)
    browser = sign_in(viewer)
    for query, heading in (("ö", "Keys"), ("SC", "Guardrails"), ("Ån", "Members"), ("är", "Workspaces")):
        assert heading in groups(browser, query), query
    for query in ("hu", "ff", "üz", "ül"):
        assert not {"Keys", "Guardrails"} & {
            heading
            for heading, hits in groups(browser, query).items()
            if {"Schutzgeländer", "Öffnungszeiten"} & {label for label, _, _ in hits}
        }
    assert "Guardrails" in groups(browser, "hut")


def test_what_is_gone_is_not_found(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    made, browser = things(synced), sign_in(viewer)
    for row, _, _ in made.values():
        type(row)._default_manager.filter(pk=row.pk).update(gone_at=timezone.now())
    for heading, (_, name, ids) in made.items():
        for query in (name, *ids):
            assert heading not in groups(browser, query), query


def test_another_organizations_things_are_not_found(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url="http://127.0.0.1:1/api/v1")
    browser = sign_in(viewer)
    for _, name, ids in things(other).values():
        for query in (name, *ids):
            assert groups(browser, query) == {}, query


def test_who_sees_their_own_keys_finds_models_beside_them(
    synced: Organization, member: User, sign_in: SignIn
) -> None:
    made, browser = things(synced), sign_in(member)
    for heading, (_, name, ids) in made.items():
        for query in (name, *ids):
            assert (heading in groups(browser, query)) == (heading == "Models"), query
    own = Key.objects.filter(owner__email__iexact=member.email, gone_at=None).earliest("id")
    for query in (own.name, own.hash, own.hash[:10], own.name[:2]):
        assert any(own.hash in url for _, _, url in groups(browser, query)["Keys"]), query


def test_a_default_guardrail_is_called_after_its_workspace(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    workspace = Workspace.objects.earliest("id")
    uid = "0defa017-0000-4000-8000-000000000000"
    Workspace.objects.filter(pk=workspace.pk).update(default_guardrail_id=uid, name="Orchard")
    Guardrail.objects.create(
        organization=synced, uid=uid, workspace_uid=workspace.uid, name=f"Workspace {workspace.uid} Default"
    )
    assert "Default of Orchard" in [
        label for label, _, _ in groups(sign_in(viewer), "default orchard")["Guardrails"]
    ]


def test_a_list_has_the_rest(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    for number in range(9):
        Guardrail.objects.create(organization=synced, uid=f"q{number}", name=f"Quince {number}")
        Workspace.objects.create(
            organization=synced, uid=f"w{number}", name=f"Quince {number}", slug=f"q-{number}"
        )
        Member.objects.create(organization=synced, uid=f"m{number}", first_name=f"Quince {number}")
        CatalogModel.objects.create(
            organization=synced, slug=f"q/{number}", permaslug=f"q/{number}", name=f"Quince {number}"
        )
    browser = sign_in(viewer)
    found = groups(browser, "quince")
    for noun in NOUNS:
        if noun.heading not in {"Guardrails", "Workspaces", "Members", "Models"}:
            continue
        *hits, (label, _, url) = found[noun.heading]
        assert (len(hits), label) == (4, f"All {noun.heading.lower()} with “quince”")
        page = text_of(browser.get(url))
        assert all(name in page for name, _, _ in hits), url


@pytest.mark.parametrize("typed", ["50%", "a_b", "c\\d", "o'brien", '"x"', "ß%"])
def test_signs_are_meant_as_they_are(synced: Organization, viewer: User, sign_in: SignIn, typed: str) -> None:
    Guardrail.objects.create(organization=synced, uid="q1", name=f"One {typed}")
    Guardrail.objects.create(organization=synced, uid="q2", name="50 axb c/d o brien x ß")
    found = groups(sign_in(viewer), typed if len(typed) > 2 else f"One {typed}").get("Guardrails", [])
    assert [label for label, _, _ in found] == [f"One {typed}"]


def test_every_page_of_the_navigation_is_known() -> None:
    known = {page.target: page for page in PAGES}
    for _, entries in GROUPS:
        for entry in entries:
            assert known[entry.target].label == entry.label
            assert known[entry.target].needs == entry.needs


def test_it_asks_once_whatever_is_found(
    synced: Organization, viewer: User, member: User, sign_in: SignIn
) -> None:
    made = things(synced)
    for user in (viewer, member):
        browser = sign_in(user)
        # The first page of a session notes the organization in it.
        browser.get("/o/acme/keys/")
        browser.get(SEARCH, {"q": ""}, headers=HTMX)
        with CaptureQueriesContext(connection) as without:
            browser.get(SEARCH, {"q": ""}, headers=HTMX)
        for query in (
            "a",
            "qu",
            "sk-or",
            "zzqq",
            "two words",
            GUARDRAIL,
            made["Keys"][2][0],
            "ärzte",
            "e" * 200,
        ):
            with CaptureQueriesContext(connection) as queries:
                browser.get(SEARCH, {"q": query}, headers=HTMX)
            assert len(queries) == len(without) + 1, query


# --- secrets ---


@pytest.fixture
def secret(synced: Organization) -> tuple[str, Key]:
    """A secret, and the key it belongs to."""
    raw = "sk-or-v1-" + "0123456789abcdef" * 4
    name = "the key of the secret"
    # The SHA-256 of the text above.
    key_hash = "6f3fc1fd3a97c370587bb1ff60c686106150a0a755583d156bf47597271abf87"
    key = Key.objects.create(
        organization=synced, hash=key_hash, name=name, sort_name=name, search_text=f"{name} {key_hash}"
    )
    return raw, key


def test_a_pasted_secret_leaves_the_address(
    secret: tuple[str, Key], viewer: User, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    raw, key = secret
    response: Any = sign_in(viewer).get(SEARCH, {"q": f" Bearer {raw} "}, follow=True)
    assert response.redirect_chain == [(f"{SEARCH}?q={key.hash}&pasted=secret", 302)]
    page = text_of(response)
    assert "That looks like a secret" in page
    assert (
        f'<a href="{reverse("keys:detail", kwargs={"organization": "acme", "key_hash": key.hash})}">' in page
    )
    assert raw not in page
    assert raw not in caplog.text


def test_a_pasted_secret_is_not_shown_in_the_palette(
    secret: tuple[str, Key], viewer: User, member: User, sign_in: SignIn
) -> None:
    raw, key = secret
    for query in (raw, raw.replace("sk-or", "SK-OR"), raw[:20], f"key={raw}&x=1"):
        page = text_of(sign_in(viewer).get(SEARCH, {"q": query}, headers=HTMX))
        assert "That looks like a secret" in page
        assert "0123456789" not in page
        assert (key.hash in page) == (raw in query)
    assert key.hash not in text_of(sign_in(member).get(SEARCH, {"q": raw}, headers=HTMX))


def test_a_browser_that_cannot_hash_sends_nothing(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    page = text_of(sign_in(viewer).get(SEARCH, {"q": "", "pasted": "secret"}, headers=HTMX))
    assert "That looks like a secret" in page
    assert "option" not in page


def test_a_label_is_no_secret(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    key = Key.objects.earliest("id")
    page = text_of(sign_in(viewer).get(SEARCH, {"q": key.label}, headers=HTMX))
    assert "secret" not in page
    assert key.hash in page
