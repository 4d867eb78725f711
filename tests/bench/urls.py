"""The product's URLs, the same list as Django's admin shows it, and a view that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.urls import path

from dashboard.urls import urlpatterns as product
from orgadmin.inventory.models import Key

if TYPE_CHECKING:
    _KeyAdmin = ModelAdmin[Key]
else:
    _KeyAdmin = ModelAdmin


class KeyAdmin(_KeyAdmin):
    """The key list's columns in its order, as many rows, and three of its six filters. Search leaves out the
    owner, in the admin's favour."""

    list_display = (
        "name",
        "label",
        "workspace",
        "owner",
        "state",
        "usage_daily",
        "usage_monthly",
        "limit",
        "active_at",
        "expires_at",
    )
    list_select_related = ("workspace", "owner")
    list_filter = ("workspace", "owner", "disabled")
    search_fields = ("name", "label", "hash")
    list_per_page = 50
    ordering = ("sort_name",)


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


site = AdminSite()
site.register(Key, KeyAdmin)
urlpatterns = [*product, path("bench/hello/", hello), path("admin/", site.urls)]
