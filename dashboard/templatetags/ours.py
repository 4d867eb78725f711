"""Lets the templates of packages (Django's engine) show our components (Jinja2)."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag(takes_context=True)
def ours(context: template.Context, name: str, **values: Any) -> SafeString:
    """Our template ``name``, rendered with ``values`` and the page's request.

    ``{% ours "components/_fields.html" form=form %}``
    """
    return mark_safe(  # noqa: S308 (Jinja2 escaped it)
        render_to_string(name, values, request=context["request"], using="jinja2")
    )
