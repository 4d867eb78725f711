"""What is kept in the cache for a while: what can be asked (an hour), answers (5 minutes), and what a job
brought (a day). As plain JSON, so that a new version of this dashboard reads what the last one kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.core.serializers.json import DjangoJSONEncoder

from dashboard.analytics.question import Question
from dashboard.analytics.rules import Period
from orgadmin.accounts.models import Organization
from orgadmin.openrouter.analytics import Answer, Dimension, Granularity, Meta, Metric, Operator, Row

META_SECONDS, ANSWER_SECONDS, JOB_SECONDS = 3600, 300, 86_400


@dataclass(frozen=True)
class Kept:
    """An answer with its question: what range was really asked for, why it is shorter, and when."""

    question: Question
    period: Period
    notes: tuple[str, ...]
    answer: Answer
    asked_at: datetime


# --- what can be asked ---


def read_meta(organization: Organization) -> Meta | None:
    found = _get(_name(organization, "meta"))
    if found is None:
        return None
    return Meta(
        metrics=tuple(Metric(**one) for one in found["metrics"]),
        dimensions=tuple(Dimension(**one) for one in found["dimensions"]),
        operators=tuple(Operator(**one) for one in found["operators"]),
        granularities=tuple(Granularity(**one) for one in found["granularities"]),
    )


def keep_meta(organization: Organization, meta: Meta) -> None:
    found = {
        "metrics": [
            _named(one, "name", "display_label", "display_format", "is_rate") for one in meta.metrics
        ],
        "dimensions": [_named(one, "name", "display_label") for one in meta.dimensions],
        "operators": [_named(one, "name", "value_type") for one in meta.operators],
        "granularities": [_named(one, "name", "display_label") for one in meta.granularities],
    }
    _set(_name(organization, "meta"), found, META_SECONDS)


def _named(of: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(of, name) for name in names}


# --- answers ---


def read_answer(organization: Organization, question: Question) -> Kept | None:
    return _kept(_get(_name(organization, _digest(question))))


def keep_answer(organization: Organization, kept: Kept) -> None:
    _set(_name(organization, _digest(kept.question)), _plain(kept), ANSWER_SECONDS)


def read_job(job_id: int) -> Kept | None:
    return _kept(_get(f"analytics:1:job:{job_id}"))


def keep_job(job_id: int, kept: Kept) -> None:
    _set(f"analytics:1:job:{job_id}", _plain(kept), JOB_SECONDS)


def _name(organization: Organization, what: str) -> str:
    # With another management key it may be another account that answers.
    return f"analytics:1:{organization.pk}:{organization.key_hash[:16]}:{what}"


def _digest(question: Question) -> str:
    return hashlib.sha256(json.dumps(question.params(), sort_keys=True).encode()).hexdigest()


def _get(name: str) -> Any:
    text = cache.get(name)
    return None if text is None else json.loads(text)


def _set(name: str, value: Any, seconds: int) -> None:
    cache.set(name, json.dumps(value, cls=DjangoJSONEncoder), seconds)


def _plain(kept: Kept) -> dict[str, Any]:
    answer = kept.answer
    return {
        "question": kept.question.params(),
        "period": [kept.period.start.isoformat(), kept.period.end.isoformat()],
        "notes": kept.notes,
        "asked_at": kept.asked_at.isoformat(),
        "truncated": answer.truncated,
        "warnings": answer.warnings,
        "cached_at": answer.cached_at and answer.cached_at.isoformat(),
        "row_count": answer.row_count,
        "rows": [
            [row.moment and row.moment.isoformat(), dict(row.dimensions), _figures(row), _email(row)]
            for row in answer.rows
        ],
    }


def _figures(row: Row) -> dict[str, Any]:
    """Whole numbers stay such; the others travel as text, every digit kept."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in row.metrics.items()}


def _email(row: Row) -> str:
    email = row.extra.get("user_email")
    return email if isinstance(email, str) else ""


def _kept(found: Any) -> Kept | None:
    if found is None:
        return None
    start, end = (datetime.fromisoformat(text) for text in found["period"])
    return Kept(
        question=Question.of_params(found["question"]),
        period=Period(start, end),
        notes=tuple(found["notes"]),
        asked_at=datetime.fromisoformat(found["asked_at"]),
        answer=Answer(
            rows=tuple(_row(*row) for row in found["rows"]),
            truncated=found["truncated"],
            warnings=tuple(found["warnings"]),
            cached_at=datetime.fromisoformat(found["cached_at"]) if found["cached_at"] else None,
            row_count=found["row_count"],
            query_time_ms=None,
        ),
    )


def _row(moment: str | None, dimensions: dict[str, str | None], metrics: dict[str, Any], email: str) -> Row:
    return Row(
        moment=datetime.fromisoformat(moment) if moment else None,
        dimensions=dimensions,
        metrics={
            name: Decimal(value) if isinstance(value, str) else value for name, value in metrics.items()
        },
        extra={"user_email": email} if email else {},
    )
