from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from orgadmin.openrouter import errors
from orgadmin.openrouter.refusals import error_from_answer, request_id, retry_after
from tests.openrouter.cast import RAW_KEY, refusal


def error(
    status: int,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    write: bool = True,
    repeatable: bool = False,
) -> errors.OpenRouterError:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return error_from_answer(
        status=status, headers=headers or {}, text=text, write=write, repeatable=repeatable
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (401, errors.Unauthorized),
        (402, errors.PaymentRequired),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (408, errors.TooSlow),
        (409, errors.Conflict),
        (413, errors.InvalidRequest),
        (422, errors.InvalidRequest),
        (429, errors.RateLimited),
        *[(status, errors.ServerFailure) for status in (500, 502, 503, 504, 520, 524, 529, 530)],
        (405, errors.OpenRouterError),
        (410, errors.OpenRouterError),
    ],
)
def test_each_status_has_its_class(status, kind):
    failure = error(status, refusal("Their words", status, metadata={"reason": "x"}))
    assert type(failure) is kind
    assert (failure.message, failure.status, failure.code) == ("Their words", status, status)
    assert failure.metadata == {"reason": "x"}


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 429])
def test_a_refused_change_was_not_made(status):
    assert not error(status).outcome_unknown


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 520, 524, 529])
def test_a_change_may_have_been_made_behind_a_server_failure(status):
    assert error(status).outcome_unknown
    assert not error(status, write=False, repeatable=True).outcome_unknown


@pytest.mark.parametrize(
    ("status", "read", "create"),
    [
        (429, True, True),
        (503, True, False),
        (529, True, False),
        (500, True, False),
        (502, True, False),
        (524, True, False),
        (501, False, False),
        (404, False, False),
        (401, False, False),
        (408, False, False),
    ],
)
def test_retryable_means_that_repeating_is_safe_and_may_help(status, read, create):
    assert error(status, write=False, repeatable=True).retryable is read
    assert error(status, repeatable=False).retryable is create


@pytest.mark.parametrize(
    "message", ["Only management keys can perform this operation", "Only management keys can fetch credits"]
)
def test_the_wrong_kind_of_key_is_recognised_by_the_start_of_the_sentence(message):
    failure = error(403, refusal(message, 403))
    assert isinstance(failure, errors.Forbidden)
    assert failure.wrong_key_kind


def test_another_forbidden_is_not_the_wrong_kind_of_key():
    failure = error(403, refusal("This needs the Enterprise plan", 403))
    assert isinstance(failure, errors.Forbidden)
    assert not failure.wrong_key_kind


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "<html><body>cloudflare ray</body></html>",
        "{",
        "[]",
        '"text"',
        "{}",
        {"error": None},
        {"error": []},
        {"error": {"message": 5}},
        {"error": {"message": "  "}},
    ],
)
def test_a_body_that_explains_nothing_is_never_shown(body):
    failure = error(502, body)
    assert failure.message == "OpenRouter could not answer (502 Bad Gateway)."
    assert failure.code is None


@pytest.mark.parametrize(
    "body",
    [
        {"error": "Plain words"},
        {"message": "Plain words"},
        {"type": "error", "error": {"type": "invalid", "message": "Plain words"}},
    ],
)
def test_near_relatives_of_the_envelope_are_understood(body):
    assert error(400, body).message == "Plain words"


def test_an_endless_message_is_cut():
    assert len(error(400, refusal("x" * 100_000)).message) == 1000


def test_a_key_in_an_explanation_is_masked():
    body = refusal(f"Key {RAW_KEY} is not allowed", metadata={"key": RAW_KEY})
    failure = error(400, body)
    assert RAW_KEY not in repr(vars(failure))
    assert failure.message == "Key sk-or-v1-5e5…5e5e is not allowed"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "1e99"}, 3600.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 01 Jul 2026 12:00:07 GMT"}, 7.0),
        ({"retry-after": "Wed, 01 Jul 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "9", "retry-after-ms": "1500"}, 1.5),
    ],
)
@time_machine.travel(datetime(2026, 7, 1, 12, tzinfo=UTC), tick=False)
def test_retry_after_in_all_its_spellings(headers, seconds):
    assert retry_after(headers) == seconds
    failure = error(429, headers=headers)
    assert isinstance(failure, errors.RateLimited)
    assert failure.retry_after == seconds


def test_the_exchange_is_named_by_whoever_names_it():
    assert request_id({}) is None
    assert request_id({"cf-ray": "8f1-FRA"}) == "8f1-FRA"
    assert request_id({"x-request-id": "req-1", "cf-ray": "8f1-FRA"}) == "req-1"
    assert error(400, headers={"x-request-id": "req-1"}).request_id == "req-1"


def test_an_error_survives_the_way_between_processes():
    failure = error(429, refusal("Slow down", 429), headers={"retry-after": "3"})
    again = pickle.loads(pickle.dumps(failure))
    assert type(again) is errors.RateLimited
    assert vars(again) == vars(failure)
    assert str(again) == "Slow down"


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (502, "Bad Gateway", "OpenRouter could not answer (502 Bad Gateway)."),
        (503, "service unavailable.", "OpenRouter could not answer (503 Service Unavailable)."),
        (524, "", "OpenRouter could not answer (524)."),
        (502, "The provider is down.", "The provider is down."),
        (403, "Forbidden", "Forbidden"),
        (404, "", "OpenRouter answered with status 404 and no explanation."),
    ],
)
def test_a_status_alone_is_put_in_words(status, said, words):
    assert error(status, refusal(said, status)).message == words
