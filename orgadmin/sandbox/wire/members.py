"""`/organization/members`: who belongs to the organization. Read-only; a personal account answers 404."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.state.members import MemberRow
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply


def list_members(call: Call) -> Reply:
    rows = call.account.members.all()
    offset = call.whole_number("offset", default=0, low=0)
    limit = call.whole_number("limit", default=50, low=1, high=100)
    page = [member_object(row) for row in rows[offset : offset + limit]]
    return Reply({"data": page, "total_count": len(rows)})


def member_object(row: MemberRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "email": row.email,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "role": row.role,
    }


ENDPOINTS = (Endpoint("GET", "/organization/members", list_members),)
