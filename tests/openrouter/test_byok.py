from __future__ import annotations

from typing import Any

import pytest
import responses

from orgadmin.openrouter import byok, errors
from orgadmin.openrouter.byok import CredentialChanges
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.unset import UNSET
from tests.openrouter.cast import BASE, refusal
from tests.openrouter.lists import last_query, sent_body, serve_counted

URL = f"{BASE}/byok"
UID = "11111111-2222-3333-4444-555555555555"
ONE = f"{URL}/{UID}"
HASH = "ab" * 32
SECRET = Secret("sk-of-a-provider-0123456789")


def row(**fields: Any) -> dict[str, Any]:
    return {
        "id": UID, "provider": "openai", "name": None, "label": "sk-...AbCd", "disabled": False,
        "is_fallback": False, "sort_order": 0, "workspace_id": None, "allowed_models": None,
        "allowed_api_key_hashes": None, "allowed_user_ids": None, "created_at": "2025-08-24T10:30:00Z",
        **fields,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def upstream():
    with responses.mock:
        yield


def test_a_credential_is_read_as_it_came(client):
    responses.get(ONE, json={"data": row(allowed_models=["a", "b"], is_required=True, novel=1)})
    found = byok.get(client, credential_id=UID)
    assert (found.id, found.workspace_id, found.allowed_models) == (UID, None, ("a", "b"))
    assert (found.is_required, found.is_byok_only, found.declared_zdr) == (True, UNSET, UNSET)
    assert found.extra == {"novel": 1}


def test_an_unknown_provider_is_kept(client):
    responses.get(ONE, json={"data": row(provider="brand-new")})
    assert byok.get(client, credential_id=UID).provider == "brand-new"


def test_a_list_is_walked_to_its_end(client):
    serve_counted(URL, [row(id=f"{number}") for number in range(250)])
    pages = list(byok.walk(client, workspace_id="w"))
    assert [len(page) for page in pages] == [100, 100, 50]
    assert last_query() == {"workspace_id": "w", "offset": "200", "limit": "100"}


def test_a_page_can_be_of_one_provider(client):
    serve_counted(URL, [row()])
    assert byok.page(client, provider="openai").total_count == 1
    assert last_query()["provider"] == "openai"


def test_create_sends_the_key_and_only_what_is_set(client):
    responses.post(URL, status=201, json={"data": row()})
    draft = CredentialChanges(key=SECRET, name="n", allowed_api_key_hashes=(HASH,))
    byok.create(client, provider="openai", draft=draft, workspace_id="w")
    assert sent_body() == {
        "provider": "openai", "key": SECRET.reveal(), "name": "n", "allowed_api_key_hashes": [HASH],
        "workspace_id": "w",
    }  # fmt: skip


def test_the_key_is_in_no_representation():
    assert SECRET.reveal() not in repr(CredentialChanges(key=SECRET))


def test_a_create_needs_a_key(client):
    with pytest.raises(ValueError, match="key"):
        byok.create(client, provider="openai", draft=CredentialChanges(name="n"))


def test_a_create_without_an_answer_is_not_repeated_and_in_doubt(client):
    responses.post(URL, status=502)
    with pytest.raises(errors.ServerFailure) as caught:
        byok.create(client, provider="openai", draft=CredentialChanges(key=SECRET))
    assert (client.calls, caught.value.outcome_unknown) == (1, True)
    assert SECRET.reveal() not in str(caught.value)


def test_a_change_sends_null_and_leaves_out_the_rest(client):
    responses.patch(ONE, json={"data": row()})
    byok.update(client, credential_id=UID, changes=CredentialChanges(name=None, allowed_models=None))
    assert sent_body() == {"name": None, "allowed_models": None}


def test_nothing_is_no_change(client):
    with pytest.raises(ValueError, match="nothing"):
        byok.update(client, credential_id=UID, changes=CredentialChanges())


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x" * 256}, {"key": Secret("")}, {"key": None}, {"disabled": None}, {"is_fallback": None},
        {"allowed_api_key_hashes": ()}, {"allowed_api_key_hashes": ("X" * 64,)},
        {"allowed_models": ("m",) * 101}, {"allowed_user_ids": ("u",) * 101},
    ],
)  # fmt: skip
def test_what_upstream_refuses_is_not_sent(wrong):
    with pytest.raises(ValueError, match=r"."):
        CredentialChanges(**wrong)


def test_one_that_is_gone_counts_as_deleted(client):
    responses.delete(ONE, status=404, json=refusal("gone", 404))
    byok.delete(client, credential_id=UID)


def test_a_deletion_that_is_not_confirmed_is_in_doubt(client):
    responses.delete(ONE, json={"deleted": False})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        byok.delete(client, credential_id=UID)
    assert caught.value.outcome_unknown
