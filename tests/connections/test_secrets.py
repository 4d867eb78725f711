"""Where a key or a token has no business being, it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection

from orgadmin.accounts.models import User
from tests.conftest import SignIn, person
from tests.sandbox_server import RunningSandbox


def everything_stored() -> Iterator[tuple[str, str]]:
    """Each row of each table, as text; sessions unpacked."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield table, repr(row)
    for session in Session.objects.all():
        yield "session", repr(session.get_decoded())


@pytest.fixture
def pages(staff: User, sandbox: RunningSandbox, sign_in: SignIn) -> str:
    """Connect, test, replace, invite and look at every page; all that was answered."""
    client = sign_in(staff)
    key = sandbox.sandbox.management_key
    form = {"name": "Acme", "slug": "acme", "base_url": sandbox.url, "management_key": key}
    answers: list[Any] = [
        client.post("/organizations/new/", {**form, "management_key": sandbox.sandbox.inference_key}),
        client.post("/organizations/new/", {**form, "slug": "Not Good"}),
        client.post("/organizations/new/", form, follow=True),
        client.post("/organizations/new/", form),
    ]
    for act, data in (("check", {}), ("rekey", form), ("rename", {"name": "Acme Two"})):
        answers.append(client.post(f"/o/acme/settings/{act}/", data, follow=True))
    for page in ("", "rekey/", "rename/", "people/", "people/invite/", "disconnect/"):
        answers.append(client.get(f"/o/acme/settings/{page}"))
    answers.extend(client.get(f"/o/acme/{page}/") for page in ("keys", "audit-log", "sync"))
    return "".join(answer.content.decode() for answer in answers)


def test_a_management_key_is_stored_encrypted_only(
    pages: str, sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    for raw in (sandbox.sandbox.management_key, sandbox.sandbox.inference_key):
        assert raw not in pages
        assert raw not in caplog.text
        assert [table for table, row in everything_stored() if raw in row] == []


def test_an_invitations_token_is_in_its_mail_only(pages: str, staff: User, sign_in: SignIn) -> None:
    client = sign_in(staff)
    data = {"by": "mail", "email": "new@house.test", "role": "viewer"}
    client.post("/o/acme/settings/people/invite/", data)
    found = re.search(r"/invite/([\w-]{43})/", str(mail.outbox[0].body))
    assert found is not None
    token = found[1]
    visitor = sign_in(person("new@house.test"))
    visitor.get(f"/invite/{token}/")
    answer = visitor.post("/invite/", follow=True)
    assert token not in answer.content.decode()
    assert [table for table, row in everything_stored() if token in row] == []
