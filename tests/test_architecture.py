"""The rules of the house that no linter knows. (The layers are in ``.importlinter``.)"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {".git", ".venv", "var", "node_modules", "__pycache__"}
MOST_LINES = 400
# Files that may be longer, each with its reason. Data is not read from top to bottom.
LONGER: dict[str, str] = {
    "requirements.txt": "a lock file",
    "requirements-test.txt": "a lock file",
    "static/css/app.css": "one stylesheet is one request",
}


def files(*suffixes: str, under: str = ".") -> list[Path]:
    found = (path for path in (ROOT / under).rglob("*") if path.is_file())
    return sorted(
        path
        for path in found
        if (not suffixes or path.suffix in suffixes)
        and not any(part in SKIPPED or part.endswith("_cache") for part in path.relative_to(ROOT).parts[:-1])
        and path.name not in {".env", ".hypothesis"}
        and ".hypothesis" not in path.parts
    )


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources() -> list[Path]:
    return files(".py", under="dashboard") + files(".py", under="orgadmin")


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it: "a.b" and "a.b.c" for "from a.b import c"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(module: str, paths: list[Path]) -> set[str]:
    return {
        named(path)
        for path in paths
        if any(name == module or name.startswith(module + ".") for name in imports(path))
    }


# --- who may import what ---------------------------------------------------------------------------


def test_only_the_client_imports_requests() -> None:
    assert {
        name for name in importers("requests", sources()) if not name.startswith("orgadmin/openrouter/")
    } == set()


@pytest.mark.parametrize("room", ["orgadmin/openrouter", "orgadmin/sandbox"])
@pytest.mark.parametrize("foreign", ["django", "celery", "dashboard", "orgadmin"])
def test_client_and_sandbox_know_only_themselves(room: str, foreign: str) -> None:
    own = room.replace("/", ".")
    for path in files(".py", under=room):
        strange = [name for name in imports(path) if name == foreign or name.startswith(foreign + ".")]
        assert [name for name in strange if not (name + ".").startswith(own + ".")] in ([], ["orgadmin"]), (
            named(path)
        )


def test_views_forms_and_tasks_never_touch_the_client() -> None:
    # The error family is what callers branch on, and Secret is a value that travels; neither can send.
    doors = {"views", "forms", "tasks"}
    paths = [path for path in sources() if doors & {path.stem, path.parent.name}]
    touched = {name for path in paths for name in imports(path) if name.startswith("orgadmin.openrouter")}
    allowed = ("orgadmin.openrouter.errors", "orgadmin.openrouter.secret")
    assert {name for name in touched if not name.startswith(allowed)} == set()


def test_the_sandbox_is_started_by_commands_only() -> None:
    found = importers("orgadmin.sandbox", sources())
    allowed = ("orgadmin/sandbox/", "dashboard/management/commands/")
    assert {name for name in found if not name.startswith(allowed)} == set()


# --- templates -------------------------------------------------------------------------------------

# Each is silently dead or blocked under our Content-Security-Policy, or needs eval.
FORBIDDEN = {
    "hx-on": r"\bhx-on\b",
    "a value that is evaluated": r"""hx-(?:vals|headers|vars)\s*=\s*["']\s*(?:js|javascript):""",
    "a filter in a trigger": r"""hx-trigger\s*=\s*(?:"[^"]*\[|'[^']*\[)""",
    "a style attribute": r"\sstyle\s*=",
    "a style element": r"<style\b",
    "an inline script": r"<script\b(?![^>]*\bsrc=)(?![^>]*application/json)",
    "an event attribute": r"""\son[a-z]+\s*=\s*["']""",
    "a javascript: address": r"""(?:href|src|action)\s*=\s*["']javascript:""",
}


def templates() -> list[Path]:
    return files(".html", ".txt", under="templates")


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_template_has(name: str) -> None:
    pattern = re.compile(FORBIDDEN[name], re.IGNORECASE)
    found = {named(path) for path in templates() if pattern.search(_without_comments(path))}
    assert found == set()


def _without_comments(path: Path) -> str:
    return re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_every_template_opens_with_a_comment() -> None:
    opening = re.compile(r"\s*(\{#|\{% comment)")
    assert [named(path) for path in templates() if not opening.match(path.read_text(encoding="utf-8"))] == []


# --- every file ------------------------------------------------------------------------------------


def test_every_module_reads_types_late() -> None:
    wanted = "from __future__ import annotations"
    missing = []
    for path in sources() + files(".py", under="tests"):
        text = path.read_text(encoding="utf-8")
        only_a_docstring = all(isinstance(node, ast.Expr) for node in ast.parse(text).body)
        if wanted not in text and "migrations" not in path.parts and not only_a_docstring:
            missing.append(named(path))
    assert missing == []


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [named(path) for path in sources() if drawers & {path.stem, path.parent.name}] == []


def test_no_file_is_longer_than_two_screens() -> None:
    long = {}
    for path in files(".py", ".html", ".css", ".js", ".sh", ".toml", ".txt"):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > MOST_LINES and named(path) not in LONGER:
            long[named(path)] = lines
    assert long == {}


def test_nine_tenths_of_the_functions_are_short() -> None:
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert sum(length < 35 for length in lengths) >= 0.9 * len(lengths)


# This file names them and is left out.
MACHINE = ("/home/", "/root/", "/Users/", "/work/", "/opt/")
INDEXES = ("pypi.org", "pythonhosted", "index-url", "find-links", "npmjs", "unpkg", "jsdelivr")


def test_no_file_names_a_package_index_or_a_place_on_a_machine() -> None:
    places = re.compile(r"(?<![\w.<>/])(?:" + "|".join(map(re.escape, MACHINE)) + ")")
    found = {}
    for path in set(files()) - {Path(__file__).resolve()}:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        hits = {word for word in INDEXES if word in text} | set(places.findall(text))
        if hits:
            found[named(path)] = hits
    assert found == {}


# --- the environment -------------------------------------------------------------------------------


def _variables() -> set[str]:
    """Every name given to a reader of ``dashboard.env``: env.str("NAME"), secret("NAME"), whole("NAME")."""
    names = set()
    for path in files(".py", under="dashboard"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                reader = ast.unparse(node.func)
                value = node.args[0].value
                if (reader.startswith("env.") or reader in {"secret", "whole"}) and re.fullmatch(
                    "[A-Z_]+", str(value)
                ):
                    names.add(str(value))
    return names


def _documented() -> set[str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^# ([A-Z][A-Z_]+)=", text, flags=re.MULTILINE))


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    assert _documented() == _variables()
