from __future__ import annotations

from django.urls import path

from orgadmin.workspaces import budget_views, edit_views, member_views, views

app_name = "workspaces"
urlpatterns = [
    path("", views.list_workspaces, name="list"),
    path("csv/", views.export, name="csv"),
    path("create/", edit_views.create, name="create"),
    path("<upstreamid:workspace_uid>/edit/", edit_views.edit, name="edit"),
    path("<upstreamid:workspace_uid>/delete/", edit_views.delete, name="delete"),
    path("<upstreamid:workspace_uid>/budgets/", budget_views.budgets, name="budgets"),
    path("<upstreamid:workspace_uid>/budgets/check/", budget_views.check, name="check-budgets"),
    path(
        "<upstreamid:workspace_uid>/budgets/<slug:interval>/raise/",
        budget_views.raise_budget,
        name="raise-budget",
    ),
    path("<upstreamid:workspace_uid>/members/", member_views.members, name="members"),
    path("<upstreamid:workspace_uid>/members/add/", member_views.add, name="add-members"),
    path("<upstreamid:workspace_uid>/members/remove/", member_views.remove, name="remove-members"),
    # Last: an id may hold anything.
    path("<upstreamid:workspace_uid>/", views.detail, name="detail"),
]
