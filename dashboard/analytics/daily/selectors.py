"""What the page of the daily record shows: a constant number of queries, whatever the range."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from dashboard.analytics import kept as store
from dashboard.analytics.daily.drawing import Drawing, grain_of, stretches
from dashboard.analytics.daily.filters import CUSTOM, DailyFilters
from dashboard.analytics.pictures import MOST_SERIES, Picture
from dashboard.analytics.reading import UNSET, Column, Label, column_of
from dashboard.spend.filters import SpendFilters
from orgadmin.accounts.models import Organization
from orgadmin.openrouter.analytics import Metric
from orgadmin.pages import Page, page_of
from orgadmin.usage.clock import last_complete_day
from orgadmin.usage.harvested import Extremes, Record, metrics_of
from orgadmin.usage.models import UsageModel, UsageProvider
from orgadmin.usage.spans import Span

DAY = timedelta(days=1)
# In this order; another one that was harvested comes after them, by its own name.
DIMENSIONS: Mapping[str, str] = {
    "": "Everything together",
    "provider": "Provider",
    "model": "Model",
    "finish_reason": "Finish reason",
    "app": "App",
}
# What says how much lies behind a rate, and so which lines are drawn.
REQUESTS = "request_count"
# Stretches of missing days that are listed.
LISTED = 4


def dimension_name(dimension: str) -> str:
    return DIMENSIONS.get(dimension, dimension.replace("_", " ").capitalize())


@dataclass(frozen=True)
class Offer:
    """What is recorded: by dimension, the metrics by their names."""

    columns: Mapping[str, Mapping[str, Column]]

    @classmethod
    def of(cls, organization: Organization) -> Offer:
        """What was harvested before descriptions were kept is described by what is known at this moment."""
        recorded = metrics_of(organization)
        is_described = all(one.display_format for metrics in recorded.values() for one in metrics)
        meta = None if is_described else store.read_meta(organization)
        known = {metric.name: metric for metric in meta.metrics} if meta else {}
        order = [*DIMENSIONS, *recorded]
        return cls(
            {
                dimension: {
                    one.name: column_of(
                        Metric(
                            name=one.name,
                            display_label=one.display_label,
                            display_format=one.display_format,
                            is_rate=one.is_rate,
                        )
                        if one.display_format or one.name not in known
                        else known[one.name]
                    )
                    for one in recorded[dimension]
                }
                for dimension in sorted(recorded, key=order.index)
            }
        )

    @property
    def dimensions(self) -> dict[str, str]:
        """The choices of the page."""
        return {
            name: f"By {dimension_name(name).lower()}" if name else DIMENSIONS[""] for name in self.columns
        }

    def metrics(self, dimension: str) -> dict[str, str]:
        return {name: column.label for name, column in self.columns.get(dimension, {}).items()}


@dataclass(frozen=True)
class Row:
    """A line of the table. A metric that adds up has ``total`` and ``share``; another one has ``extremes``,
    and the figure of its ``newest`` day."""

    label: Label
    href: str
    total: Decimal | None = None
    share: Decimal | None = None
    extremes: Extremes | None = None
    newest: Decimal | None = None


@dataclass(frozen=True)
class Daily:
    """The page where there is a record. ``bounds`` are the first and the last day of it, ``span`` the days
    that are shown, ``missing`` those of them without a record; ``total`` is of a metric that adds up."""

    column: Column
    heading: str
    bounds: Span
    span: Span
    held: int
    missing: Sequence[date]
    picture: Picture
    page: Page[Row]
    total: Decimal | None

    @property
    def grain(self) -> str:
        return grain_of(self.span)

    @property
    def gaps(self) -> str:
        """The missing days in words; the newest stretches where there are many."""
        found = stretches(self.missing)
        more = len(found) - LISTED
        return ", ".join(found[-LISTED:]) + (f" and {more} earlier gaps" if more > 0 else "")


def newest_day(bounds: Span) -> date:
    """The last day there might be a record of. Yesterday is harvested in the course of the night: until then
    it is not missing."""
    yesterday = last_complete_day()
    return bounds.until if bounds.until >= yesterday - DAY else yesterday


def daily(organization: Organization, filters: DailyFilters, offer: Offer, page: str | None) -> Daily | None:
    """Everything of the page; None where nothing was recorded."""
    record = Record(organization, filters.by)
    bounds = record.bounds() if filters.metric else None
    if bounds is None:
        return None
    span = filters.span(bounds.since, newest_day(bounds))
    column = offer.columns[filters.by][filters.metric]
    return (_Sums if column.is_additive else _Rates)(record, filters, offer, bounds, span).page(page)


@dataclass(frozen=True)
class _Found:
    """What both kinds of metrics share."""

    record: Record
    filters: DailyFilters
    offer: Offer
    bounds: Span
    span: Span

    @cached_property
    def column(self) -> Column:
        return self.offer.columns[self.filters.by][self.filters.metric]

    @cached_property
    def held(self) -> set[date]:
        return self.record.days(self.span)

    @property
    def labels(self) -> list[str]:
        """The one with most comes first."""
        raise NotImplementedError

    def rows(self, labels: Sequence[str], links: Mapping[str, str]) -> list[Row]:
        raise NotImplementedError

    def picture(self, drawing: Drawing) -> Picture:
        raise NotImplementedError

    @property
    def total(self) -> Decimal | None:
        return None

    def name(self, label: str) -> Label:
        if not self.filters.by:
            return Label(DIMENSIONS[""])
        return Label(label) if label else Label(UNSET, is_unset=True)

    @property
    def ranked(self) -> list[tuple[str, str]]:
        return [(label, self.name(label).text) for label in self.labels]

    def page(self, number: str | None) -> Daily:
        by = f" by {dimension_name(self.filters.by).lower()}" if self.filters.by else ""
        caption = f"{self.column.label}{by}"
        return Daily(
            column=self.column,
            heading=dimension_name(self.filters.by),
            bounds=self.bounds,
            span=self.span,
            held=len(self.held),
            missing=[day for day in self.span.each() if day not in self.held],
            picture=self.picture(Drawing(caption, self.column, self.span, self.held, timezone.now())),
            page=page_of(len(self.labels), number, self._rows),
            total=self.total,
        )

    def _rows(self, offset: int, limit: int) -> list[Row]:
        labels = self.labels[offset : offset + limit]
        return self.rows(labels, spend_links(self.record.organization, self.filters, labels))


class _Sums(_Found):
    @cached_property
    def sums(self) -> dict[str, dict[date, Decimal]]:
        return self.record.sums(
            self.span, self.column.metric.name, grain=grain_of(self.span), is_money=self.column.is_money
        )

    @cached_property
    def totals(self) -> dict[str, Decimal]:
        return {label: sum(of.values(), Decimal(0)) for label, of in self.sums.items()}

    @cached_property
    def labels(self) -> list[str]:
        return sorted(self.totals, key=lambda label: (-self.totals[label], label))

    @cached_property
    def total(self) -> Decimal:
        return sum(self.totals.values(), Decimal(0))

    def picture(self, drawing: Drawing) -> Picture:
        return drawing.bars(self.sums, self.ranked)

    def rows(self, labels: Sequence[str], links: Mapping[str, str]) -> list[Row]:
        return [
            Row(
                self.name(label),
                links.get(label, ""),
                total=self.totals[label],
                share=self.totals[label] / self.total if self.total > 0 else None,
            )
            for label in labels
        ]


class _Rates(_Found):
    @property
    def has_requests(self) -> bool:
        return REQUESTS in self.offer.columns[self.filters.by]

    @cached_property
    def extremes(self) -> dict[str, Extremes]:
        weighed_by = REQUESTS if self.has_requests else ""
        found = self.record.extremes(self.span, self.column.metric.name, weighed_by)
        return {one.label: one for one in found}

    @property
    def labels(self) -> list[str]:
        return list(self.extremes)

    def picture(self, drawing: Drawing) -> Picture:
        figures = self.record.figures(self.column.metric.name, self.labels[:MOST_SERIES], self.span)
        return drawing.lines(figures, self.ranked, "requests" if self.has_requests else "days")

    def rows(self, labels: Sequence[str], links: Mapping[str, str]) -> list[Row]:
        days = {self.extremes[label].newest for label in labels}
        figures = self.record.figures(self.column.metric.name, labels, days)
        return [
            Row(
                self.name(label),
                links.get(label, ""),
                extremes=self.extremes[label],
                newest=figures.get((label, self.extremes[label].newest)),
            )
            for label in labels
        ]


def spend_links(organization: Organization, filters: DailyFilters, labels: Collection[str]) -> dict[str, str]:
    """Where the spend of a provider or a model is shown, in the same days; for those that use is known of.

    Analytics names a provider as activity does, and a model by its permaslug; one that was renamed may have
    been harvested by its slug.
    """
    if filters.by == "provider":
        named = UsageProvider.objects.filter(name__in=labels)
        found = {name: {"provider": name} for name in named.values_list("name", flat=True)}
    elif filters.by == "model":
        models = UsageModel.objects.filter(Q(permaslug__in=labels) | Q(slug__in=labels))
        pairs = list(models.order_by("-id").values_list("permaslug", "slug"))
        found = {slug: {"model": permaslug, "group": "provider"} for permaslug, slug in pairs}
        found |= {permaslug: {"model": permaslug, "group": "provider"} for permaslug, _ in pairs}
    else:
        return {}
    address = reverse("spend:show", kwargs={"organization": organization.slug})
    is_custom = filters.range == CUSTOM
    days = {"since": filters.since, "until": filters.until} if is_custom else {"range": filters.range}
    return {label: f"{address}?{SpendFilters().query(**days, **parts)}" for label, parts in found.items()}
