"""Lets the templates of packages ask about mail: whether it is sent, and which addresses are unconfirmed."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django import template
from django.template import Context

from orgadmin.connections.mail import sends_mail

register = template.Library()

register.simple_tag(sends_mail, name="sends_mail")


@register.simple_tag(takes_context=True)
def unconfirmed_addresses(context: Context) -> list[str]:
    """The e-mail addresses of whoever looks that nobody has confirmed."""
    addresses = EmailAddress.objects.filter(user=context["request"].user, verified=False)
    return list(addresses.order_by("pk").values_list("email", flat=True))
