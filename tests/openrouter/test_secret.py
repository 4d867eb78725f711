from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import traceback

import pytest

from orgadmin.openrouter.secret import Secret
from tests.openrouter.cast import RAW_KEY


@pytest.mark.parametrize("show", [str, repr, lambda secret: f"{secret}", lambda secret: f"{secret!r}"])
def test_it_shows_dots(show):
    assert show(Secret(RAW_KEY)) == "•••"


def test_it_reveals_only_when_asked():
    assert Secret(RAW_KEY).reveal() == RAW_KEY


def test_it_hides_inside_other_things():
    @dataclasses.dataclass
    class Holder:
        secret: Secret

    assert RAW_KEY not in repr(Holder(Secret(RAW_KEY))) + repr([Secret(RAW_KEY)]) + repr(
        {"a": Secret(RAW_KEY)}
    )


def test_equality_looks_at_the_whole_text():
    assert Secret(RAW_KEY) == Secret(RAW_KEY)
    assert Secret(RAW_KEY) != Secret(RAW_KEY[:-1] + "0")
    assert Secret("é\ud800") == Secret("é\ud800")
    assert Secret(RAW_KEY) != RAW_KEY


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy, hash, json.dumps, vars])
def test_it_cannot_leave(leave):
    with pytest.raises(TypeError) as caught:
        leave(Secret(RAW_KEY))
    assert RAW_KEY not in "".join(traceback.format_exception(caught.value))


def test_only_a_filled_secret_is_true():
    assert Secret("x")
    assert not Secret("")


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("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", "sk-or-v1-0e6…1c96"),
        ("another-provider-key-0123456789", "…6789"),
        ("sk-or-v1-short", "•••"),
        ("", "•••"),
    ],
)
def test_a_mask_is_enough_to_recognise_and_too_little_to_use(raw, label):
    assert Secret.mask(raw) == label
