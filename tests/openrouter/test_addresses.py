from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.openrouter import keys
from orgadmin.openrouter.addresses import checked_base_url, path
from tests.openrouter.cast import key_row


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1).filter(
        lambda s: s not in (".", "..")
    )
)
def test_an_id_stays_in_its_segment(segment):
    whole = path("keys", segment)
    assert whole.count("/") == 2
    assert not set(whole) & set("?#&\\ \r\n")
    assert unquote(whole.removeprefix("/keys/")) == segment


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_segment_that_would_be_folded_away_is_refused(segment):
    with pytest.raises(ValueError, match="id"):
        path("keys", segment)


@responses.activate
@pytest.mark.parametrize("key_hash", ["../credits", "a/b", "%2e%2e", "x?include=1", "x#y", "…", "a b"])
def test_upstream_receives_an_id_as_one_segment(client, key_hash):
    responses.get(re.compile(r".*"), json={"data": key_row()})
    keys.get(client, key_hash=key_hash)
    start, _, segment = responses.calls[0].request.path_url.rpartition("/")
    assert start == "/api/v1/keys"
    assert unquote(segment) == key_hash


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "openrouter.ai/api/v1",
        "ftp://openrouter.ai",
        "https://",
        "https://user:secret@openrouter.ai/api/v1",
        "https://openrouter.ai/api/v1?x=1",
        "https://openrouter.ai/#x",
        "https://openrouter.ai:99999/api/v1",
    ],
)
def test_a_base_url_that_is_none_is_refused(base_url):
    with pytest.raises(ValueError, match=r".+") as caught:
        checked_base_url(base_url)
    assert "secret" not in str(caught.value)


def test_a_trailing_slash_is_dropped():
    assert checked_base_url("https://openrouter.ai/api/v1/") == "https://openrouter.ai/api/v1"
