from __future__ import annotations

from django.urls import path

from orgadmin.policies import views

app_name = "policies"
urlpatterns = [path("", views.show, name="show")]
