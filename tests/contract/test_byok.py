"""Provider keys of the account's own as the vendor's client sees them."""

from __future__ import annotations

import pytest
from openrouter import OpenRouter, errors

from tests.contract.test_the_rest import pages
from tests.sandbox_server import RunningSandbox


def test_a_credential_is_made_with_every_field(sdk: OpenRouter, running: RunningSandbox) -> None:
    key = running.sandbox.every_key()[0]["hash"]
    member = next(iter(running.sandbox.account.members)).id
    made = sdk.byok.create(
        key="sk-provider-0123456789", provider="azure", name="n", disabled=True, is_fallback=False,
        allowed_models=["openai/gpt-5.2"], allowed_api_key_hashes=[key], allowed_user_ids=[member],
        is_required=True, is_byok_only=True, declared_region="europe", declared_zdr=True,
    ).data  # fmt: skip
    assert made == sdk.byok.get(id=made.id).data
    assert (made.label, made.provider, made.disabled) == ("sk-...6789", "azure", True)
    assert (made.allowed_api_key_hashes, made.allowed_user_ids) == ([key], [member])
    cleared = sdk.byok.update(
        id=made.id, name=None, allowed_models=None, allowed_api_key_hashes=None, allowed_user_ids=None,
        declared_region=None, declared_zdr=None,
    ).data  # fmt: skip
    assert (cleared.name, cleared.allowed_models, cleared.allowed_api_key_hashes) == (None, None, None)
    assert (cleared.declared_region, cleared.declared_zdr, cleared.is_required) == (None, None, True)


def test_the_list_pages_and_filters(sdk: OpenRouter) -> None:
    for number in range(3):
        sdk.byok.create(key="sk-provider-0123456789", provider="groq", name=f"n{number}")
    first = sdk.byok.list(provider="groq", limit=2)
    names = [row.name for page in pages(first) for row in page.result.data]
    assert names == ["n0", "n1", "n2"]


def test_an_unknown_hash_is_refused(sdk: OpenRouter) -> None:
    with pytest.raises(errors.BadRequestResponseError, match="hash"):
        sdk.byok.create(key="sk-provider-0123", provider="openai", allowed_api_key_hashes=["0" * 64])


def test_what_is_deleted_is_not_found(sdk: OpenRouter) -> None:
    made = sdk.byok.create(key="sk-provider-0123456789", provider="openai").data
    assert sdk.byok.delete(id=made.id).DELETED is True
    with pytest.raises(errors.NotFoundResponseError):
        sdk.byok.get(id=made.id)
