from __future__ import annotations

from django.urls import path, register_converter

from orgadmin.keys import bulk_views, create_views, raise_views, rotation_views, views

app_name = "keys"


class KeyHash:
    """The identity of a key: SHA-256 in lower-case hex (FACTS 1.7)."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KeyHash, "keyhash")

urlpatterns = [
    path("", views.list_keys, name="list"),
    path("csv/", views.export, name="csv"),
    path("create/", create_views.create, name="create"),
    path("bulk/", bulk_views.preview, name="bulk"),
    path("bulk/start/", bulk_views.start, name="bulk-start"),
    path("rotations/", rotation_views.list_rotations, name="rotations"),
    path("rotations/<int:rotation_id>/", rotation_views.detail, name="rotation"),
    path("rotations/<int:rotation_id>/retire/", rotation_views.retire, name="retire"),
    path("<keyhash:key_hash>/", views.detail, name="detail"),
    path("<keyhash:key_hash>/edit/", views.edit, name="edit"),
    path("<keyhash:key_hash>/disable/", views.disable, name="disable"),
    path("<keyhash:key_hash>/enable/", views.enable, name="enable"),
    path("<keyhash:key_hash>/delete/", views.delete, name="delete"),
    path("<keyhash:key_hash>/raise/", raise_views.raise_limit, name="raise-limit"),
    path("<keyhash:key_hash>/rotate/", rotation_views.rotate, name="rotate"),
]
