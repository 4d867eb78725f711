"""The forms alone, with whatever can be thought of: refused with a message, or fit to be sent."""

from __future__ import annotations

import json
import uuid
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgadmin.fields import ConfirmForm
from orgadmin.keys.forms import OWN_WINDOW, KeyEditForm, KeyForm, LimitForm
from orgadmin.openrouter import jsontext
from orgadmin.openrouter.keys import KeyChanges
from tests import facts
from tests.bad_input import TEXTS

ANYTHING = st.one_of(
    st.text(max_size=60),
    st.sampled_from(TEXTS),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats().map(repr),
    st.datetimes().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, exclude_categories=()),
)
HURRIED = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
WORKSPACE = "dcc72cc8-7069-4ffa-8c00-713a1338d179"


@HURRIED
@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["name", "creator", "limit", "limit_reset", "expires_at"], ANYTHING)
    )
)
def test_a_new_key_is_refused_or_fit_to_be_sent(fields: dict[str, str]) -> None:
    data = {"name": "ok", "workspace": WORKSPACE, "form_token": str(uuid.uuid4()), **fields}
    form = KeyForm(data, workspaces=[(WORKSPACE, "Default")], owners=[("", "No owner"), ("user_1", "Ada")])
    if form.is_valid():
        draft = form.draft()
        body = {
            "name": draft.name,
            "workspace_id": draft.workspace_uid,
            "include_byok_in_limit": draft.include_byok_in_limit,
            "limit": draft.limit,
            "limit_reset": draft.limit_reset,
            "creator_user_id": draft.creator_user_id,
            "expires_at": draft.expires_at and f"{draft.expires_at:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0"),
        }
        sent = json.loads(jsontext.dumps({name: value for name, value in body.items() if value is not None}))
        assert facts.in_create(sent) == []
    else:
        assert form.errors


@HURRIED
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(["name", "limit", "limit_reset", "include_byok_in_limit", "seen"], ANYTHING),
    )
)
def test_an_edit_is_refused_or_fit_to_be_sent(fields: dict[str, str]) -> None:
    seen = {"name": "ok", "limit": "5", "limit_reset": None, "include_byok_in_limit": False}
    form = KeyEditForm({"name": "ok", "limit": "5", "seen": json.dumps(seen), **fields})
    if form.is_valid() and form.edit().changed:
        changes = KeyChanges(**form.edit().changed)
        assert facts.in_update(json.loads(jsontext.dumps(changes.body()))) == []


@HURRIED
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["name", "limit", "limit_reset", "include_byok_in_limit", "x"]), inner
            )
        ),
    )
)
def test_what_an_editor_claims_to_have_seen_is_refused_or_understood(seen: Any) -> None:
    form = KeyEditForm({"name": "new", "limit": "7", "seen": json.dumps(seen)})
    if form.is_valid():
        assert set(form.edit().seen) == {"name", "limit", "limit_reset", "include_byok_in_limit"}


@HURRIED
@given(ANYTHING, ANYTHING)
def test_a_limit_for_many_is_refused_or_an_amount(limit: str, reset: str) -> None:
    form = LimitForm({"limit": limit, "limit_reset": reset})
    if form.is_valid():
        amount = form.cleaned_data["limit"]
        assert amount is None or (amount.is_finite() and 0 <= amount <= 1_000_000_000)
        assert form.wanted()[1] in {*facts.RESETS, OWN_WINDOW}


@HURRIED
@given(ANYTHING, ANYTHING)
def test_only_the_word_itself_confirms(typed: str, word: str) -> None:
    form = ConfirmForm({"confirmation": typed}, word=word)
    if form.is_valid():
        assert typed.split() == word.split()
