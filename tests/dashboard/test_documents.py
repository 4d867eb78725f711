"""What the documents say about what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dashboard.keeping import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {path.stem for path in (ROOT / "dashboard/management/commands").glob("[!_]*.py")}
# What the supervisor runs and nobody else.
INNER = {"demo_seed"}


def test_every_command_is_in_the_operators_manual() -> None:
    manual = (ROOT / "docs/operations.md").read_text()
    told = {name for name in COMMANDS if re.search(rf"^\| .*`{name}\b.* \| ", manual, re.MULTILINE)}
    assert told == COMMANDS - INNER


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_line_to_copy_finds_its_program(path: Path) -> None:
    """Nothing of ours is on anybody's PATH: what a code block calls is called by where it is."""
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
    bare = re.compile(r"^(?:\w+=\S+ )*(?:manage\.py|python|celery|gunicorn) \w", re.MULTILINE)
    assert [line for block in blocks for line in bare.findall(block)] == []


def test_every_picture_is_shown_and_every_picture_shown_is_there() -> None:
    shown = {name for path in DOCUMENTS for name in re.findall(r"images/([\w-]+\.png)", path.read_text())}
    assert {path.name for path in (ROOT / "docs/images").iterdir()} == shown
