"""Pages that belong to no organization."""

from __future__ import annotations

from django.urls import path

from orgadmin.connections import front_views

app_name = "front"

urlpatterns = [
    path("organizations/new/", front_views.add, name="add"),
    path("account/name/", front_views.name, name="name"),
    path("sign-in/<str:uid>/<str:token>/", front_views.sign_in, name="sign-in"),
    path("invite/", front_views.accept, name="accept"),
    path("invite/<str:token>/", front_views.invitation, name="invitation"),
]
