from __future__ import annotations

from django.urls import path

from orgadmin.connections import key_views, people_views, views

app_name = "connections"

urlpatterns = [
    path("", views.settings, name="settings"),
    path("rekey/", views.rekey, name="rekey"),
    path("rename/", views.rename, name="rename"),
    path("default-workspace/", views.default_workspace, name="default-workspace"),
    path("check/", views.check, name="check"),
    path("disconnect/", views.disconnect, name="disconnect"),
    path("inference-keys/add/", key_views.add, name="inference-key-add"),
    path("inference-keys/<int:key_id>/replace/", key_views.replace, name="inference-key-replace"),
    path("inference-keys/<int:key_id>/remove/", key_views.remove, name="inference-key-remove"),
    path("people/", people_views.people, name="people"),
    path("people/invite/", people_views.invite, name="invite"),
    path("people/invitations/<int:invitation_id>/revoke/", people_views.revoke, name="invitation-revoke"),
    path("people/<int:membership_id>/role/", people_views.role, name="role"),
    path("people/<int:membership_id>/remove/", people_views.remove, name="remove"),
]
