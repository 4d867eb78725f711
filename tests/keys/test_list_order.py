"""The key list: its orders and its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key
from orgadmin.inventory.summary import refresh_summary
from tests.keys.conftest import add_keys, hashes, shown, text_of

LIST = "/o/acme/keys/"
STATES = ["active", "exhausted", "expired", "disabled"]

# What a person sees in the column; None is an empty cell, which stands last whichever way round.
COLUMNS: dict[str, Callable[[Key], Any]] = {
    "name": lambda key: key.name.casefold(),
    "workspace": lambda key: key.workspace and key.workspace.name.casefold(),
    "owner": lambda key: key.owner and str(key.owner).casefold(),
    "state": lambda key: STATES.index(key.state),
    "today": lambda key: key.usage_daily,
    "month": lambda key: key.usage_monthly,
    "limit": lambda key: key.limit,
    "used": lambda key: key.active_at,
    "expires": lambda key: key.expires_at,
    "created": lambda key: key.created_at,
}


def naively(organization: Organization, sort: str) -> list[str]:
    """Everything fetched and sorted here; rows of equal value by age, the same way round as the values."""
    value, is_down = COLUMNS[sort.removeprefix("-")], sort.startswith("-")
    rows = list(Key.objects.filter(organization=organization).select_related("workspace", "owner"))
    rows.sort(key=lambda key: key.pk, reverse=is_down)
    full = [key for key in rows if value(key) is not None]
    # Python's reverse keeps equal rows as they stood, which is what is wanted.
    full.sort(key=value, reverse=is_down)
    return hashes([*full, *(key for key in rows if value(key) is None)])


def test_every_page_of_every_order_is_what_a_naive_sort_gives(desk: Client, synced: Organization) -> None:
    add_keys(synced, 120)
    for sort in [*COLUMNS, *(f"-{column}" for column in COLUMNS)]:
        pages = [shown(desk.get(LIST, {"sort": sort, "page": number})) for number in (1, 2, 3, 4)]
        assert [len(page) for page in pages] == [50, 50, 50, 10]
        assert [key_hash for page in pages for key_hash in page] == naively(synced, sort), sort


def test_a_page_too_far_is_the_last_one(desk: Client, synced: Organization) -> None:
    add_keys(synced, 61)
    assert shown(desk.get(LIST, {"page": "3"})) == shown(desk.get(LIST, {"page": "40"}))
    page = text_of(desk.get(LIST, {"page": "3"}))
    assert "101–101 of 101 keys" in page


def test_it_says_which_rows_of_how_many(desk: Client, synced: Organization) -> None:
    add_keys(synced, 61)
    assert "1–50 of 101 keys" in text_of(desk.get(LIST))
    page = text_of(desk.get(LIST, {"page": "2", "sort": "-month", "q": "sk-or"}))
    assert "51–100 of 101 keys" in page
    assert "select all 101" in page


def test_links_to_other_pages_and_orders_keep_the_filters(desk: Client, synced: Organization) -> None:
    add_keys(synced, 120)
    page = text_of(desk.get(LIST, {"q": "sk-or", "sort": "-month", "page": "2"})).replace("&amp;", "&")
    assert f'href="{LIST}?q=sk-or&sort=-month&page=3"' in page
    assert f'href="{LIST}?q=sk-or&sort=-month"' in page
    assert f'href="{LIST}?q=sk-or&sort=month"' in page
    assert f'href="{LIST}?q=sk-or&sort=name"' in page


def test_a_header_says_how_the_list_is_sorted(desk: Client, synced: Organization) -> None:
    page = text_of(desk.get(LIST, {"sort": "-month"}))
    assert page.count("aria-sort=") == 1
    assert page.count('aria-sort="descending"') == 1
    assert page.index('aria-sort="descending"') < page.index("This month")
    assert 'aria-sort="ascending"' in text_of(desk.get(LIST))


def test_an_organization_without_keys_has_a_page_of_none(desk: Client, synced: Organization) -> None:
    Key.objects.filter(organization=synced).delete()
    refresh_summary(synced)
    page = text_of(desk.get(LIST, {"page": "7"}))
    assert "This organization has no API keys yet." in page


def test_a_search_shows_what_is_called_so_first(desk: Client, synced: Organization) -> None:
    names = ["code-review-bot", "review-bot (staging)", "Review-Bot", "a review-bot"]
    rows = [
        Key(
            organization=synced,
            hash=f"{number:064}",
            name=name,
            sort_name=name.casefold(),
            search_text=name.casefold(),
        )
        for number, name in enumerate(names)
    ]
    Key.objects.bulk_create(rows)

    def found(**query: str) -> list[str]:
        rows = shown(desk.get(f"{LIST}?{urlencode({'q': 'review-bot', **query})}"))
        return [names[int(key_hash)] for key_hash in rows]

    nearest = ["Review-Bot", "review-bot (staging)", "a review-bot", "code-review-bot"]
    assert found() == nearest
    assert found(sort="-name") == ["review-bot (staging)", "Review-Bot", "code-review-bot", "a review-bot"]


def test_a_search_is_in_one_order_on_all_its_pages(desk: Client, synced: Organization) -> None:
    add_keys(synced, 200)
    rows = list(Key.objects.filter(organization=synced, search_text__contains="svc"))
    rows.sort(key=lambda key: (not key.sort_name.startswith("svc"), key.sort_name, key.pk))
    pages = [
        shown(desk.get(LIST, {"q": "svc", "page": str(page)})) for page in range(1, -(-len(rows) // 50) + 1)
    ]
    assert [key_hash for page in pages for key_hash in page] == hashes(rows)
