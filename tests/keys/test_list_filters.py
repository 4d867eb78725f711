"""The key list: searching and filtering."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member
from tests.conftest import Sync
from tests.keys.conftest import hashes, shown, text_of
from tests.sandbox_server import RunningSandbox

LIST = "/o/acme/keys/"


def search(desk: Client, text: str, **more: str) -> set[str]:
    return set(shown(desk.get(LIST, {"q": text, **more})))


def alive(organization: Organization) -> list[Key]:
    rows = Key.objects.filter(organization=organization, gone_at=None)
    return list(rows.select_related("workspace", "owner"))


def those(organization: Organization, wanted: Callable[[Key], bool]) -> set[str]:
    found = set(hashes(key for key in alive(organization) if wanted(key)))
    assert found, "the cast has no such key: the test would prove nothing"
    return found


# --- search ---


def test_it_finds_a_name_whatever_its_case(desk: Client, synced: Organization) -> None:
    wanted = those(synced, lambda key: key.name == "Eval Harness (prod)")
    assert search(desk, "eval harness") == search(desk, "EVAL HARNESS") == wanted


def test_it_finds_names_in_every_script(desk: Client, synced: Organization) -> None:
    for text in ["überwachung", "ÜBERWACHUNG", "ZOË", "агент-ПОДДЕРЖКИ", "研究", "مساعد", "🔬"]:
        found = {key.hash for key in alive(synced) if text.casefold() in key.name.casefold()}
        assert found
        assert search(desk, text) >= found, text


def test_it_finds_a_key_by_label_and_by_any_part_of_its_hash(desk: Client, key: Key) -> None:
    assert key.hash in search(desk, key.label)
    assert search(desk, key.hash) == {key.hash}
    assert search(desk, key.hash[20:50].upper()) == {key.hash}


def test_it_finds_keys_by_their_owners_name_and_address(desk: Client, synced: Organization, key: Key) -> None:
    assert key.owner is not None
    assert search(desk, key.owner.email.upper()) == those(synced, lambda row: row.owner == key.owner)
    assert key.hash in search(desk, str(key.owner))


def test_every_word_must_be_there_in_any_order(desk: Client, synced: Organization) -> None:
    wanted = those(synced, lambda key: key.name == "invoice-extractor" and str(key.owner) == "Liam O’Rourke")
    assert search(desk, "o’rourke invoice") == search(desk, "  invoice   liam ") == wanted
    assert search(desk, "invoice nobody-has-this") == set()


def test_signs_that_mean_something_to_a_database_mean_nothing_here(
    desk: Client, synced: Organization
) -> None:
    for text in ["%", "_", "\\", "'", "a" * 5000, "p\x00rod", "<script>", "--"]:
        needle = text.replace("\x00", "")[:200].casefold()
        assert search(desk, text) == {key.hash for key in alive(synced) if needle in key.search_text}, text


def test_bytes_that_are_no_text_still_open_a_list(desk: Client, synced: Organization) -> None:
    assert desk.get(f"{LIST}?q=%ed%a0%80%ff&workspace=%ff&owner=%00").status_code == 200


# --- filters ---


def test_deleted_keys_are_shown_only_on_request(
    desk: Client, sandbox: RunningSandbox, sync: Sync, key: Key
) -> None:
    sandbox.sandbox.outside.delete_key(key.hash)
    sync()
    assert key.hash not in shown(desk.get(LIST))
    assert search(desk, key.hash) == set()
    assert shown(desk.get(LIST, {"state": "gone"})) == [key.hash]
    assert "Deleted" in text_of(desk.get(LIST, {"state": "gone"}))


def test_it_filters_by_state(desk: Client, synced: Organization) -> None:
    for state in ("active", "disabled", "expired", "exhausted"):
        found = set(shown(desk.get(LIST, {"state": state})))
        assert found == {key.hash for key in alive(synced) if key.state == state} != set(), state


def test_every_key_that_is_not_deleted_has_exactly_one_state(desk: Client, synced: Organization) -> None:
    lists = [
        shown(desk.get(LIST, {"state": state})) for state in ("active", "disabled", "expired", "exhausted")
    ]
    found = [key_hash for rows in lists for key_hash in rows]
    assert sorted(found) == sorted(hashes(alive(synced)))


def test_it_filters_by_workspace(desk: Client, synced: Organization) -> None:
    found = set(shown(desk.get(LIST, {"workspace": "production"})))
    assert found == those(
        synced, lambda key: key.workspace is not None and key.workspace.slug == "production"
    )


def test_it_filters_by_owner_and_by_none(desk: Client, synced: Organization, key: Key) -> None:
    assert key.owner is not None
    uid = key.owner.uid
    owned = set(shown(desk.get(LIST, {"owner": uid})))
    assert owned == those(synced, lambda row: row.creator_user_id == uid)
    ownerless = set(shown(desk.get(LIST, {"owner": "none"})))
    assert ownerless == those(synced, lambda row: row.creator_user_id is None)


def test_it_filters_by_whether_there_is_a_limit(desk: Client, synced: Organization) -> None:
    with_one = set(shown(desk.get(LIST, {"limit": "with"})))
    assert with_one == those(synced, lambda key: key.limit is not None)
    without = set(shown(desk.get(LIST, {"limit": "without"})))
    assert without == those(synced, lambda key: key.limit is None)


def test_it_filters_by_an_expiry_that_lies_ahead(desk: Client, synced: Organization) -> None:
    now = timezone.now()
    for days in (3, 30, 90, 365):
        ahead = {
            key.hash
            for key in alive(synced)
            if key.expires_at and now < key.expires_at <= now + timedelta(days)
        }
        assert set(shown(desk.get(LIST, {"expires": str(days)}))) == ahead != set(), days


def test_it_filters_by_idleness_where_no_use_counts_from_the_making(
    desk: Client, synced: Organization
) -> None:
    for days in (1, 7, 14):
        since = timezone.now() - timedelta(days=days)
        idle = {key.hash for key in alive(synced) if key.idle_since and key.idle_since < since}
        assert set(shown(desk.get(LIST, {"idle": str(days)}))) == idle != set(), days


@pytest.mark.parametrize("spent", ["usage_monthly", "byok_usage_monthly"])
def test_a_key_that_spends_is_not_idle_only_because_openrouter_gives_no_date(
    desk: Client, synced: Organization, key: Key, spent: str
) -> None:
    long_ago = timezone.now() - timedelta(days=400)
    nothing = {"usage_monthly": 0, "byok_usage_monthly": 0}
    plain = {"expires_at": None, "limit": None, "limit_remaining": None}
    rows = Key.objects.filter(pk=key.pk)
    rows.update(active_at=None, created_at=long_ago, **plain, **nothing)
    listed = desk.get(LIST, {"q": key.hash, "idle": "90"})
    assert shown(listed) == [key.hash]
    assert "Idle 400 d" in text_of(listed)

    rows.update(**{spent: 50})
    assert shown(desk.get(LIST, {"q": key.hash, "idle": "90"})) == []
    assert "Idle 400 d" not in text_of(desk.get(LIST, {"q": key.hash}))


def test_filters_and_search_narrow_each_other(desk: Client, synced: Organization) -> None:
    asked = {"q": "a", "workspace": "production", "state": "active", "limit": "without", "idle": "1"}
    since = timezone.now() - timedelta(days=1)
    assert set(shown(desk.get(LIST, asked))) == those(
        synced,
        lambda key: (
            "a" in key.search_text
            and key.workspace is not None
            and key.workspace.slug == "production"
            and key.state == "active"
            and key.limit is None
            and key.idle_since is not None
            and key.idle_since < since
        ),
    )


NONSENSE: list[dict[str, str]] = [
    {"state": "asleep"},
    {"limit": "maybe"},
    *({"expires": days} for days in ("-1", "soon", "1e3", "\x00", "100000")),
    *({"idle": days} for days in ("0", "٣", "9" * 20)),
    *({"sort": order} for order in ("secret", "--name", "-", "name; DROP TABLE")),
    *({"page": page} for page in ("0", "-3", "one", "9" * 20, "²", "1.5")),
    {"unheard-of": "1"},
]


def test_a_parameter_that_makes_no_sense_is_as_good_as_none(desk: Client, synced: Organization) -> None:
    everything = shown(desk.get(LIST))
    for nonsense in NONSENSE:
        assert shown(desk.get(LIST, nonsense)) == everything, nonsense


def test_a_filter_that_nothing_passes_says_so_and_offers_the_way_back(
    desk: Client, synced: Organization
) -> None:
    for asked in ({"workspace": "no-such"}, {"owner": "user_nobody"}, {"q": "no such key"}):
        page = text_of(desk.get(LIST, asked))
        assert "No key matches" in page
        assert "Clear filters" in page


def test_the_menus_show_what_is_set(desk: Client, synced: Organization) -> None:
    page = text_of(desk.get(LIST, {"state": "disabled", "workspace": "production", "q": "note & book"}))
    assert '<option value="disabled" selected>' in page
    assert '<option value="production" selected>' in page
    assert 'value="note &amp; book"' in page
    assert f'href="{LIST}csv/?{urlencode({"q": "note & book", "workspace": "production"})}' in page.replace(
        "&amp;", "&"
    )


def test_keys_of_a_former_member_stay_and_say_so(
    desk: Client, sandbox: RunningSandbox, sync: Sync, key: Key
) -> None:
    assert key.owner is not None
    sandbox.sandbox.outside.remove_member(key.owner.uid)
    sync()
    assert Member.objects.get(pk=key.owner.pk).gone_at is not None
    page = desk.get(LIST, {"owner": key.owner.uid})
    assert key.hash in shown(page)
    assert "No longer a member of the organization" in text_of(page)


@pytest.mark.parametrize("asked", ["state=deleted", "limit=maybe", "expires=soon", "idle=-1"])
def test_a_filter_that_is_unknown_is_told(desk: Client, synced: Organization, asked: str) -> None:
    response = desk.get(f"{LIST}?{asked}")
    assert f"This link filters by something unknown, which is left out: {asked}." in text_of(response)
    assert len(shown(response)) == len(alive(synced))
    assert "something unknown" not in text_of(desk.get(f"{LIST}?state=gone&limit=with&expires=7&idle=30"))


def test_it_says_what_found_nothing(desk: Client, synced: Organization) -> None:
    assert "owner holds “no such key”" in text_of(desk.get(LIST, {"q": "no such key"}))
    assert "matches all of the filters" in text_of(desk.get(LIST, {"q": "no such key", "limit": "with"}))
