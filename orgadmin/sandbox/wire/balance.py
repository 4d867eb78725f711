"""`/credits`: dollars ever bought and ever spent by the account."""

from __future__ import annotations

from orgadmin.sandbox.money import dollars
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply


def get_credits(call: Call) -> Reply:
    account = call.account
    figures = {
        "total_credits": dollars(account.total_credits(call.now)),
        "total_usage": dollars(account.total_usage(call.now)),
    }
    return Reply({"data": figures})


ENDPOINTS = (Endpoint("GET", "/credits", get_credits),)
