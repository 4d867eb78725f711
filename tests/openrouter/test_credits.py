from __future__ import annotations

from decimal import Decimal

import pytest
import responses

from orgadmin.openrouter import credits as credits_of
from orgadmin.openrouter import errors
from tests.openrouter.cast import BASE, refusal

URL = f"{BASE}/credits"


@responses.activate
def test_the_balance_is_exact_and_may_be_negative(client):
    responses.get(URL, body='{"data": {"total_credits": 100.10, "total_usage": 100.1000001, "note": "x"}}')
    got = credits_of.get(client)
    assert (got.total_credits, got.total_usage) == (Decimal("100.10"), Decimal("100.1000001"))
    assert got.balance == Decimal("-0.0000001")
    assert got.extra == {"note": "x"}


@responses.activate
def test_an_inference_key_is_told_apart(client):
    responses.get(URL, status=403, json=refusal("Only management keys can fetch credits for an account", 403))
    with pytest.raises(errors.Forbidden) as caught:
        credits_of.get(client)
    assert caught.value.wrong_key_kind
