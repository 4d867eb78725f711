"""How values are written on pages: money, numbers, shares and times. Pure functions, used as filters.

Unknown (None) is always an em dash, never 0.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from django.utils import timezone

UNKNOWN = "—"
MINUS = "−"
# Between a number and its unit: narrow, and never broken over two lines.
THIN = "\N{NARROW NO-BREAK SPACE}"

MINUTE, HOUR, DAY = 60, 3600, 86_400


def money(amount: Decimal | int | None, places: int = 2) -> str:
    """US dollars as "$1,204.18". What would round to nothing is "<$0.01" and not "$0.00"."""
    if amount is None:
        return UNKNOWN
    value = Decimal(amount)
    sign = MINUS if value < 0 else ""
    smallest = Decimal(1).scaleb(-places)
    if 0 < abs(value) < smallest:
        return f"{sign}<${smallest:.{places}f}"
    return f"{sign}${abs(value).quantize(smallest, ROUND_HALF_UP):,.{places}f}"


def exact_money(amount: Decimal | int | None) -> str:
    """Every digit there is, at least two after the point: "$0.00001234"."""
    if amount is None:
        return UNKNOWN
    value = Decimal(amount)
    digits = f"{abs(value):,f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    whole, _, rest = digits.partition(".")
    return f"{MINUS if value < 0 else ''}${whole}.{rest.ljust(2, '0')}"


def number(value: Decimal | float | None) -> str:
    """A count with thousands separated: "10,213"."""
    if value is None:
        return UNKNOWN
    return f"{value:,}".replace("-", MINUS)


def compact(value: Decimal | int | None) -> str:
    """A large count in three digits: "1.24M", "532", "18.3B"."""
    if value is None:
        return UNKNOWN
    for power, unit in ((12, "T"), (9, "B"), (6, "M"), (3, "k")):
        if abs(value) >= 10 ** max(power, 4):
            scaled = Decimal(value).scaleb(-power)
            return f"{scaled:.{max(0, 2 - scaled.adjusted())}f}{unit}".replace("-", MINUS)
    return number(value)


def change(ratio: Decimal | None) -> str:
    """By how much something grew or shrank, without its sign: "12.4 %", "×18" from tenfold on."""
    if ratio is None:
        return UNKNOWN
    if ratio >= 10:
        return f"×{ratio + 1:,.0f}"
    return f"{ratio * 100:,.1f}{THIN}%"


def share(ratio: Decimal | float | None, places: int = 0) -> str:
    """A ratio as per cent, rounded down so that 100 % means all of it: 0.999 is "99 %"."""
    if ratio is None:
        return UNKNOWN
    value = Decimal(str(ratio)) * 100
    smallest = Decimal(1).scaleb(-places)
    if 0 < value < smallest:
        return f"<{smallest:.{places}f}{THIN}%"
    return f"{value.quantize(smallest, ROUND_FLOOR):,.{places}f}{THIN}%".replace("-", MINUS)


def plural(count: int | None, one: str, many: str = "") -> str:
    """ "1 key", "128 keys"; ``many`` is ``one`` with an s unless given."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def moment(value: datetime | str | None) -> datetime | None:
    """A datetime in UTC from what a row or an ISO 8601 text says; naive values are UTC already."""
    if not value:
        return None
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def exact(value: datetime | str | None) -> str:
    """The moment to the second with its zone: "23 Nov 2026, 10:55:12 UTC"."""
    found = moment(value)
    return f"{found.day} {found:%b %Y, %H:%M:%S} UTC" if found else UNKNOWN


def day(value: date | None) -> str:
    """The day alone: "23 Nov 2026". A moment is in UTC."""
    found = moment(value) if isinstance(value, datetime) else value
    return f"{found.day} {found:%b %Y}" if found else UNKNOWN


def days(since: date, until: date) -> str:
    """Days, both included: "24 Nov 2026", "1 – 24 Nov 2026", "28 Oct – 24 Nov 2026"."""
    if since == until:
        return day(until)
    if since.year != until.year:
        return f"{day(since)} – {day(until)}"
    first = f"{since.day}" if since.month == until.month else f"{since.day} {since:%b}"
    return f"{first} – {day(until)}"


def minute(value: datetime | str | None) -> str:
    """The moment to the minute, for tables whose heading names the zone: "23 Nov 2026, 10:55"."""
    found = moment(value)
    return f"{found.day} {found:%b %Y, %H:%M}" if found else UNKNOWN


def iso(value: datetime | str | None) -> str:
    """The machine's spelling, for ``<time datetime>``."""
    found = moment(value)
    return found.isoformat(timespec="seconds").replace("+00:00", "Z") if found else ""


def relative(value: datetime | str | None, now: datetime | None = None) -> str:
    """How long ago or until: "now", "3 h ago", "yesterday", "in 14 d", "41 d ago", "in 2 y"."""
    found = moment(value)
    if found is None:
        return UNKNOWN
    seconds = int((found - (now or timezone.now())).total_seconds())
    distance = _distance(abs(seconds))
    if not distance:
        return "now"
    if distance == f"1{THIN}d":
        return "tomorrow" if seconds > 0 else "yesterday"
    return f"in {distance}" if seconds > 0 else f"{distance} ago"


def _distance(seconds: int) -> str:
    if seconds < MINUTE:
        return ""
    if seconds < HOUR:
        return f"{seconds // MINUTE}{THIN}min"
    if seconds < DAY:
        return f"{seconds // HOUR}{THIN}h"
    days = seconds // DAY
    return f"{days}{THIN}d" if days < 730 else f"{days // 365}{THIN}y"


def duration(value: timedelta | float | None) -> str:
    """How long something took: "0.4 s", "12 s", "3 min 5 s", "2 h 10 min"."""
    if value is None:
        return UNKNOWN
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{seconds:.1f}{THIN}s"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole}{THIN}s"
    if whole < HOUR:
        return _two(whole // MINUTE, "min", whole % MINUTE, "s")
    return _two(whole // HOUR, "h", whole % HOUR // MINUTE, "min")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    first = f"{large}{THIN}{large_unit}"
    return f"{first} {small}{THIN}{small_unit}" if small else first
