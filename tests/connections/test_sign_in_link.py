from __future__ import annotations

import time
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from django.test import Client

from orgadmin.accounts.models import User
from orgadmin.accounts.proof import PROOF_KEY
from orgadmin.accounts.sign_in_links import sign_in_link
from tests.conftest import SignIn, person


@pytest.fixture
def owner(db: None) -> User:
    return person("olivia@house.test")


def path_of(user: User) -> str:
    link = sign_in_link(email=user.email)
    assert link.startswith("http://testserver/sign-in/")
    return link.removeprefix("http://testserver")


def signed_in_as(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def test_it_signs_in_once(owner: User, client: Client) -> None:
    path = path_of(owner)
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert signed_in_as(client) == str(owner.pk)
    later = Client()
    again = later.get(path)
    assert again.status_code == 410
    assert "This sign-in link no longer works" in again.content.decode()
    assert signed_in_as(later) is None


def test_somebody_without_a_password_sets_one_first(owner: User, client: Client) -> None:
    owner.set_unusable_password()
    owner.save()
    answer = client.get(path_of(owner))
    assert answer["Location"] == "/accounts/password/set/?next=%2F"
    page = client.get(answer["Location"]).content.decode()
    assert "Set a password" in page
    assert "At least 10 characters" in page
    new = {"password1": "a-brand-new-password", "password2": "a-brand-new-password", "next": "/"}
    assert client.post("/accounts/password/set/", new)["Location"] == "/"
    owner.refresh_from_db()
    assert owner.check_password("a-brand-new-password")
    assert signed_in_as(client) == str(owner.pk)


def test_the_proof_is_fresh_and_the_session_new(owner: User, client: Client) -> None:
    client.get("/accounts/login/")
    session = client.session
    session["before"] = 1
    session.save()
    number = session.session_key
    client.get(path_of(owner))
    assert client.session.session_key != number
    assert time.time() - client.session[PROOF_KEY] < 60


def test_a_second_factor_is_asked_for_first(owner: User, client: Client) -> None:
    secret = generate_totp_secret()
    TOTP.activate(owner, secret)
    answer = client.get(path_of(owner))
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert signed_in_as(client) is None
    assert PROOF_KEY not in client.session
    client.post("/accounts/2fa/authenticate/", {"code": f"{hotp_value(secret, int(time.time()) // 30):06}"})
    assert signed_in_as(client) == str(owner.pk)
    assert PROOF_KEY in client.session


def test_a_day_makes_it_stale(owner: User, client: Client) -> None:
    with time_machine.travel(0, tick=False) as clock:
        clock.move_to(1_900_000_000)
        path = path_of(owner)
        clock.shift(timedelta(hours=24))
        assert client.get(path).status_code == 410
        clock.shift(-timedelta(seconds=5))
        assert client.get(path).status_code == 302


def test_a_new_password_ends_it(owner: User, client: Client) -> None:
    path = path_of(owner)
    owner.set_password("something-quite-different")
    owner.save()
    assert client.get(path).status_code == 410


def test_a_locked_account_has_no_links(owner: User, client: Client) -> None:
    path = path_of(owner)
    User.objects.update(is_active=False)
    assert client.get(path).status_code == 410
    with pytest.raises(User.DoesNotExist):
        sign_in_link(email=owner.email)


def test_a_password_reset_token_does_not_sign_in(owner: User, client: Client) -> None:
    from django.contrib.auth.tokens import default_token_generator

    uid = path_of(owner).split("/")[2]
    assert client.get(f"/sign-in/{uid}/{default_token_generator.make_token(owner)}/").status_code == 410


@pytest.mark.parametrize(
    "path", ["/sign-in/x/y/", "/sign-in/MQ/a-b/", "/sign-in/OTk5OTk5OTk5OTk5OTk5OTk5OTk5/a-b/"]
)
def test_nonsense_is_answered_kindly(db: None, client: Client, path: str) -> None:
    assert client.get(path).status_code == 410


def test_looking_does_not_use_it_up(owner: User, client: Client) -> None:
    path = path_of(owner)
    assert client.head(path).status_code == 405
    assert client.post(path).status_code == 405
    assert client.get(path).status_code == 302


def test_somebody_signed_in_opens_a_used_link(owner: User, sign_in: SignIn, client: Client) -> None:
    path = path_of(owner)
    client.get(path)
    assert client.get(path)["Location"] == "/"


def test_it_changes_who_is_signed_in(owner: User, sign_in: SignIn) -> None:
    other = sign_in(person("other@house.test"))
    other.get(path_of(owner))
    assert signed_in_as(other) == str(owner.pk)
