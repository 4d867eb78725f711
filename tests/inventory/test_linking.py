"""Keys know their workspace and owner whichever pull finishes first."""

from __future__ import annotations

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.inventory import nouns, services
from orgadmin.inventory.linking import KeyLinks
from orgadmin.inventory.models import Key


def pull(organization: Organization, kind: str) -> None:
    services.run_pull(run_id=services.request_pull(organization=organization, kind=kind).pk)


@pytest.mark.parametrize("order", [("workspaces", "members", "keys"), ("keys", "members", "workspaces")])
def test_the_order_of_pulls_does_not_matter(organization: Organization, order: tuple[str, ...]) -> None:
    for kind in order:
        pull(organization, kind)

    assert not Key.objects.filter(workspace=None).exists()
    assert Key.objects.exclude(owner=None).exists()


def test_workspaces_that_arrive_during_the_pull_of_keys_are_linked(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare_then_others_finish(of: Organization) -> KeyLinks:
        links = KeyLinks.of(of)
        pull(of, "workspaces")
        pull(of, "members")
        return links

    monkeypatch.setitem(nouns.KEYS.__dict__, "prepare", prepare_then_others_finish)

    pull(organization, "keys")

    assert Key.objects.count() == 40
    assert not Key.objects.filter(workspace=None).exists()
    assert Key.objects.exclude(owner=None).filter(search_text__contains="@").exists()
