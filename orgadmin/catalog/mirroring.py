"""Laying what upstream said beside what we hold: what is new or other is written, the rest left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from orgadmin.audit.text import writable
from orgadmin.catalog.models import CatalogChange
from orgadmin.catalog.prices import difference
from orgadmin.inventory.mirror import Mirror
from orgadmin.inventory.models import SyncRun

Row = TypeVar("Row", bound=Mirror)
What = CatalogChange.What


def can_name(identity: str, longest: int) -> bool:
    """Whether a column takes the identity as it is. Cut or mended it would name another object."""
    return 0 < len(identity) <= longest and identity == writable(identity)


def is_other(row: Mirror, values: Mapping[str, Any]) -> bool:
    return row.gone_at is not None or any(getattr(row, name) != value for name, value in values.items())


def filled(row: Row, values: Mapping[str, Any]) -> Row:
    """The row with these values, and not gone."""
    for name, value in values.items():
        setattr(row, name, value)
    row.gone_at = None
    return row


def upsert(run: SyncRun, rows: Iterable[tuple[Row | None, Row]], columns: Iterable[str]) -> None:
    """Write the rows, each with the one we have (None: it is new), and count them in the run."""
    found = list(rows)
    new = [row for old, row in found if old is None]
    changed = [row for old, row in found if old is not None]
    if found:
        table = type(found[0][1])._default_manager
        table.bulk_create(new, batch_size=200)
        table.bulk_update(changed, [*columns, "gone_at"], batch_size=100)
    run.added += len(new)
    run.changed += len(changed)


def changes(
    run: SyncRun,
    now: datetime,
    slug: str,
    old: Any,
    values: Mapping[str, Any],
    *,
    tag: str = "",
) -> list[CatalogChange]:
    """What a history says of a model or, with a tag, of an endpoint that was met; ``old`` is the row we have,
    None for one that is new."""

    def change(what: What, field: str = "", before: str = "", after: str = "") -> CatalogChange:
        return CatalogChange(
            organization=run.organization,
            at=now,
            slug=slug,
            tag=tag,
            what=what,
            field=field[:50],
            before=before,
            after=after,
        )

    if old is None:
        return [change(What.APPEARED)]
    found = [change(What.APPEARED)] if old.gone_at is not None else []
    found += [change(What.PRICE, *one) for one in difference(old.prices, values["prices"])]
    before, after = getattr(old, "expires_on", None), values.get("expires_on")
    if before != after:
        texts = [day.isoformat() if day else "" for day in (before, after)]
        found.append(change(What.EXPIRY, "", *texts))
    return found
