"""Secrets at rest, and changing the key that encrypts them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from orgadmin.accounts.fields import decrypt, encrypt, renewed
from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.accounts.rotation import rotate_encryption
from orgadmin.openrouter.secret import Secret
from tests.conftest import person

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
RAW = "sk-or-v1-" + "ab" * 32


@pytest.fixture
def old_key(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]


def organization(number: int = 1) -> Organization:
    return Organization.objects.create(
        name=f"Acme {number}",
        slug=f"acme-{number}",
        base_url="https://a.test",
        management_key=Secret(f"{RAW}{number}"),
    )


def stored() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT management_key FROM accounts_organization ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def readable_with(key: str, token: str) -> bool:
    try:
        Fernet(key).decrypt(token.encode())
    except Exception:
        return False
    return True


def test_a_key_is_ciphertext_in_the_database_and_hidden_in_python(db: None, old_key: None) -> None:
    row = organization()
    row.refresh_from_db()
    assert stored()[0].startswith("gAAAA")
    assert RAW not in stored()[0]
    assert row.management_key is not None
    assert row.management_key.reveal() == f"{RAW}1"
    assert RAW not in f"{row.management_key} {row.management_key!r} {row.__dict__}"


def test_two_encryptions_of_one_secret_differ(old_key: None) -> None:
    assert encrypt("same") != encrypt("same")


def test_it_cannot_be_searched(db: None) -> None:
    with pytest.raises(FieldError):
        Organization.objects.filter(management_key=RAW).exists()


@pytest.mark.parametrize("keys", [[], ["not a key"]])
def test_bad_keys_stop_with_words_and_without_the_key(settings: Any, keys: list[str]) -> None:
    settings.ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured) as refused:
        encrypt("x")
    assert "not a key" not in str(refused.value)


def test_a_lost_key_is_said(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    token = encrypt("x")
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(ImproperlyConfigured, match="no longer in ENCRYPTION_KEYS"):
        decrypt(token)


def test_renewing_is_for_what_the_first_key_did_not_encrypt(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    token = encrypt("x")
    assert renewed(token) is None
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    again = renewed(token)
    assert again is not None
    assert readable_with(NEW, again)
    assert decrypt(again) == "x"


def test_rotation_leaves_nothing_to_the_old_key(db: None, settings: Any, old_key: None) -> None:
    for number in range(5):
        organization(number)
    Organization.objects.create(name="Off", slug="off", base_url="https://a.test", management_key=None)
    first = Organization.objects.order_by("pk")[0]
    InferenceKey.objects.create(organization=first, workspace_uid="w", secret=Secret(RAW), key_hash="h")
    user = person("olivia@house.test")
    TOTP.activate(user, secret := generate_totp_secret())
    codes = RecoveryCodes.activate(user).get_unused_codes()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    done = rotate_encryption(batch=2)
    assert (done.organizations, done.organizations_changed) == (5, 5)
    assert (done.inference_keys, done.inference_keys_changed) == (1, 1)
    assert (done.second_factors, done.second_factors_changed) == (2, 2)

    settings.ENCRYPTION_KEYS = [NEW]
    keys = [row.management_key for row in Organization.objects.order_by("pk") if row.management_key]
    assert [key.reveal() for key in keys] == [f"{RAW}{number}" for number in range(5)]
    (lent,) = InferenceKey.objects.all()
    assert lent.secret is not None
    assert lent.secret.reveal() == RAW
    totp = Authenticator.objects.get(type="totp")
    assert decrypt(totp.data["secret"]) == secret
    recovery = RecoveryCodes(Authenticator.objects.get(type="recovery_codes"))
    assert recovery.get_unused_codes() == codes
    assert recovery.instance.data["used_mask"] == 0


def test_rotating_again_touches_nothing(db: None, settings: Any, old_key: None) -> None:
    organization()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    rotate_encryption()
    before = stored()
    assert rotate_encryption().organizations_changed == 0
    assert stored() == before


def test_codes_brought_from_elsewhere_are_renewed_too(db: None, settings: Any, old_key: None) -> None:
    Authenticator.objects.create(
        user=person("olivia@house.test"),
        type="recovery_codes",
        data={"migrated_codes": [encrypt("one"), encrypt("two")]},
    )
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    rotate_encryption()
    tokens = Authenticator.objects.get().data["migrated_codes"]
    assert all(readable_with(NEW, token) for token in tokens)
    assert [decrypt(token) for token in tokens] == ["one", "two"]


def test_the_command_says_what_it_did(db: None, settings: Any, old_key: None) -> None:
    organization()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    out = io.StringIO()
    call_command("rotate_encryption", stdout=out)
    assert "Organization keys: 1 of 1 encrypted anew." in out.getvalue()


def test_the_command_says_which_key_is_missing(db: None, settings: Any, old_key: None) -> None:
    organization()
    settings.ENCRYPTION_KEYS = [NEW, OTHER]
    with pytest.raises(CommandError, match="Put that key back"):
        call_command("rotate_encryption", stdout=io.StringIO())
    assert readable_with(OLD, stored()[0])
