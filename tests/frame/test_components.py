"""Components as a page gets them: what a person reads, and what assistive technology is told."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages.storage.base import Message
from django.test import RequestFactory
from django.utils.html import format_html

from orgadmin.pages import Page
from tests.browser.gallery import ENGINE, EveryField, enter

pytestmark = pytest.mark.urls("tests.browser.gallery")


def render(file: str, call: str, path: str = "/o/acme/keys/", **context: Any) -> str:
    """The HTML of one call of a macro in components/<file>.html, white space folded."""
    name = call.partition("(")[0]
    source = f'{{% from "components/{file}.html" import {name} %}}{{{{ {call} }}}}'
    html = ENGINE.env.from_string(source).render(request=RequestFactory().get(path), **context)
    return re.sub(r"\s+", " ", html).strip()


def test_money_keeps_the_exact_amount_in_the_tooltip() -> None:
    assert (
        render("figures", "money(x)", x=Decimal("0.0012"))
        == '<span class="money" title="$0.0012">&lt;$0.01</span>'
    )
    assert render("figures", "money(x)", x=Decimal("12.50")) == '<span class="money">$12.50</span>'
    assert (
        render("figures", "money(x, reason='Never used')", x=None)
        == '<span class="unknown" title="Never used">—</span>'
    )


@pytest.mark.parametrize(
    ("used", "limit", "kind", "value"),
    [
        ("10", "20", "accent", "0.5"),
        ("16", "20", "attention", "0.8"),
        ("20", "20", "danger", "1"),
        ("30", "20", "danger", "1"),
        ("0", "0", "danger", "1"),
    ],
)
def test_a_limit_bar_warns_from_80_per_cent(used: str, limit: str, kind: str, value: str) -> None:
    html = render("figures", "limit_bar(used, limit)", used=Decimal(used), limit=Decimal(limit))

    assert f'class="meter {kind}"' in html
    assert f'value="{value}"' in html
    assert f"${Decimal(used):.2f} of ${Decimal(limit):.2f} used" in html


def test_a_field_names_its_help_its_unit_and_its_error() -> None:
    html = render(
        "forms", "field(form['limit'], lead='$', unit='per month')", form=EveryField({"limit": "many"})
    )

    assert '<label for="id_limit"><span>Limit</span></label>' in html
    assert 'aria-describedby="id_limit_help id_limit_error id_limit_unit"' in html
    assert 'aria-invalid="true"' in html
    assert 'value="many"' in html
    assert all(f'id="id_limit_{part}"' in html for part in ("help", "error", "unit"))


def test_typed_html_stays_text() -> None:
    html = render("forms", "field(form['name'])", form=EveryField({"name": '"><script>alert(1)</script>'}))

    assert "<script>" not in html


def test_a_password_is_never_sent_back() -> None:
    assert "hunter2" not in render("forms", "fields(form)", form=EveryField({"password": "hunter2"}))


def test_the_error_summary_links_to_the_fields() -> None:
    form = EveryField({"limit": "many"})
    form.add_error(None, "OpenRouter: too long.")

    html = render("forms", "error_summary(form)", form=form)

    assert "OpenRouter: too long." in html
    assert '<a href="#id_limit">Limit: Enter a number.</a>' in html
    assert '<a href="#id_scope">' in html
    assert "data-focus" in html
    assert render("forms", "error_summary(form)", form=EveryField()) == ""


def test_a_radio_group_is_a_fieldset() -> None:
    html = render("forms", "field(form['scope'])", form=EveryField())

    assert '<fieldset class="field" id="id_scope">' in html
    assert html.count('type="radio"') == 2


def test_sorting_goes_up_then_down_and_back_to_page_1() -> None:
    first = render("tables", "sort_header(request, 'Name', 'name', 'month')", "/o/acme/keys/?q=a&page=4")
    up = render("tables", "sort_header(request, 'Name', 'name', 'name')")
    down = render("tables", "sort_header(request, 'Name', 'name', '-name')")
    money = render("tables", "sort_header(request, 'Spend', 'spend', 'name', first='-')")

    assert 'href="/o/acme/keys/?q=a&amp;sort=name"' in first
    assert "aria-sort" not in first
    assert 'aria-sort="ascending"' in up
    assert "sort=-name" in up
    assert 'aria-sort="descending"' in down
    assert "sort=name" in down
    assert "sort=-spend" in money


def test_pages_say_where_one_is() -> None:
    html = render(
        "tables",
        "pagination(request, page, noun='keys')",
        "/o/acme/keys/?q=a&page=2",
        page=Page([0] * 50, 2, 10213),
    )

    assert "51–100 of 10,213 keys" in html
    assert html.count('href="/o/acme/keys/?q=a"') == 2
    assert 'href="/o/acme/keys/?q=a&amp;page=205"' in html
    assert "First page" in html


def test_one_is_counted_in_the_singular() -> None:
    def count(total: int) -> str:
        return render("tables", "pagination(request, page, noun='keys')", page=Page([0] * total, 1, total))

    assert "1–1 of 1 key<" in count(1)
    assert "1–2 of 2 keys<" in count(2)
    assert ">0 keys<" in count(0)


def test_a_single_page_has_no_steps() -> None:
    html = render("tables", "pagination(request, page)", page=Page([1, 2], 1, 2))

    assert "1–2 of 2" in html
    assert "href" not in html


def test_a_diff_shows_only_what_differs() -> None:
    html = render(
        "diff",
        "diff(old, new)",
        old={"name": "a", "limit": None},
        new={"name": "a", "limit": "20", "disabled": True},
    )

    assert '<th scope="row">limit</th>' in html
    assert "<ins>20</ins>" in html
    assert "<ins>yes</ins>" in html
    assert "name</th>" not in html
    assert "Nothing differs." in render("diff", "diff(none, none)")


def test_a_job_polls_only_while_it_runs() -> None:
    running = render("jobs", "job_progress('Disable keys', 5, 1, 10, '', refresh='/job/')")
    over = render("jobs", "job_progress('Disable keys', 9, 1, 10, '')")

    assert 'hx-trigger="every 2s"' in running
    assert 'value="6"' in running
    assert "<span>4 left</span>" in running
    assert "1 failed" in running
    assert "hx-trigger" not in over


def test_waiting_messages_travel_as_toasts() -> None:
    request = enter(RequestFactory().get("/o/acme/keys/"))
    request._messages = [
        Message(25, format_html('Disabled. <a href="{}">Undo</a>', "/undo/")),
        Message(40, "<b>no</b>"),
    ]

    html = ENGINE.get_template("components/_toasts.html").render({}, request)

    assert html.count('hx-swap-oob="beforeend:#toasts"') == 2
    assert '<a href="/undo/">Undo</a>' in html
    assert "&lt;b&gt;no&lt;/b&gt;" in html
    assert 'data-toast="error"' in html


def test_only_who_may_change_things_can_sync_now() -> None:
    may = enter(RequestFactory().get("/o/acme/keys/"))
    may_not = enter(RequestFactory().get("/o/acme/keys/"))
    may_not.may = frozenset({"read"})

    template = ENGINE.get_template("components/_freshness.html")
    assert 'action="/o/acme/syncs/run/"' in template.render({}, may)
    assert "<form" not in template.render({}, may_not)
    assert 'hx-trigger="every 30s, ' in template.render({}, may_not)
