"""Lets the templates of packages ask whether this installation sends mail."""

from __future__ import annotations

from django import template

from orgadmin.connections.mail import sends_mail

register = template.Library()

register.simple_tag(sends_mail, name="sends_mail")
