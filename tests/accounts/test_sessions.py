"""Sessions are ciphertext at rest: the secret of a second factor waits there for its confirmation."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from orgadmin.accounts.models import User
from orgadmin.accounts.sessions import SessionStore
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db


def test_the_secret_of_a_second_factor_is_not_in_clear(owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    client.get("/accounts/2fa/totp/activate/")

    secret = client.session["mfa.totp.secret"]

    row = Session.objects.get(session_key=client.session.session_key)
    assert secret
    assert secret not in row.session_data
    with pytest.raises(KeyError):
        row.get_decoded()["mfa.totp.secret"]


def test_a_session_of_a_forgotten_key_signs_out(owner: User, sign_in: SignIn) -> None:
    client: Client = sign_in(owner)
    Session.objects.update(session_data="gAAAAABnot-ours")

    assert client.get("/o/acme/keys/").status_code == 302
    assert SessionStore(client.cookies["dashboard_session"].value).load() == {}
