"""Patience, retries and the limiter, with answers played by `responses` and a clock that does not tick."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses

from orgadmin.openrouter import errors
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import WEB, WORKER, OpenRouter, Patience
from tests.openrouter.cast import BASE, RAW_KEY, RecordingLimiter, client_at, refusal

URL = f"{BASE}/keys"
BROKEN = {"status": 500, "json": refusal("Internal", 500)}
BUSY = {"status": 429, "json": refusal("Slow down", 429)}


@pytest.fixture(autouse=True)
def upstream():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as upstream:
        yield upstream


def failure_of(client, method="GET", **kwargs) -> errors.OpenRouterError:
    with pytest.raises(errors.OpenRouterError) as caught:
        client.request(method, "/keys", **kwargs)
    return caught.value


def test_it_sends_what_the_api_takes(client, upstream):
    upstream.post(URL, json={"data": 1})
    params = {"include_disabled": True, "offset": 0, "workspace_id": None, "name": "ä & b"}
    client.request("post", "/keys", params=params, body={"limit": Decimal("0.10")})
    request = upstream.calls[0].request
    assert request.method == "POST"
    assert request.url == f"{URL}?include_disabled=true&offset=0&name=%C3%A4+%26+b"
    assert request.body == b'{"limit":0.10}'
    assert request.headers["Authorization"] == f"Bearer {RAW_KEY}"
    assert request.headers["User-Agent"] == "openrouter-dashboard"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept"] == "application/json"


def test_numbers_come_back_as_they_were_written(client, upstream):
    upstream.get(URL, body='{"data": {"a": 0.1, "b": 12.340, "c": 1e-7, "d": 5}}')
    data = client.request("GET", "/keys")["data"]
    assert [str(number) for number in data.values()] == ["0.1", "12.340", "1E-7", "5"]


def test_no_content_is_an_empty_answer(client, upstream):
    upstream.delete(URL, status=204)
    assert client.request("DELETE", "/keys") == {}


@pytest.mark.parametrize("body", ["<html>challenge</html>", "[]", "null", "", "{"])
def test_a_success_that_is_no_json_object_is_unreadable(client, upstream, body):
    upstream.get(URL, body=body)
    failure = failure_of(client)
    assert isinstance(failure, errors.UnreadableAnswer)
    assert (failure.status, failure.retryable, failure.outcome_unknown) == (200, True, False)
    assert client.calls == WEB.tries
    assert "challenge" not in str(failure)


def test_html_in_answer_to_a_create_leaves_it_in_doubt(client, upstream):
    upstream.post(URL, body="<html>", status=201)
    failure = failure_of(client, "POST")
    assert isinstance(failure, errors.UnreadableAnswer)
    assert (failure.retryable, failure.outcome_unknown, client.calls) == (False, True, 1)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520, 524, 529])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_a_passing_failure_is_tried_again(client, upstream, method, status):
    upstream.add(method, URL, status=status)
    upstream.add(method, URL, json={"data": 1})
    assert client.request(method, "/keys") == {"data": 1}
    assert client.calls == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 410, 413, 422, 501])
def test_a_lasting_failure_is_not(client, upstream, status):
    upstream.get(URL, status=status)
    assert failure_of(client).status == status
    assert client.calls == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 524, 529])
def test_a_create_is_never_repeated_after_a_server_failure(client, upstream, status):
    upstream.post(URL, status=status)
    failure = failure_of(client, "POST")
    assert client.calls == 1
    assert failure.outcome_unknown


def test_a_create_refused_for_speed_is_left_to_the_caller(client, upstream):
    upstream.post(URL, **BUSY)
    upstream.post(URL, json={"data": 1})
    failure = failure_of(client, "POST")
    assert isinstance(failure, errors.RateLimited)
    assert (client.calls, failure.outcome_unknown) == (1, False)


def test_a_post_that_only_reads_may_be_repeated(client, upstream):
    upstream.post(URL, **BROKEN)
    upstream.post(URL, json={"data": 1})
    assert client.request("POST", "/keys", idempotent=True) == {"data": 1}


@pytest.mark.parametrize(
    "answer", [BROKEN, {"status": 408}, {"status": 504}, {"body": "<html>"}, {"body": OSError()}]
)
def test_a_post_that_only_reads_leaves_no_doubt_behind(client, upstream, answer):
    upstream.post(URL, **answer)
    assert not failure_of(client, "POST", idempotent=True, write=False).outcome_unknown
    assert failure_of(client, "POST", idempotent=True).outcome_unknown


def test_a_get_that_changes_something_is_in_doubt_like_any_change(client, upstream):
    upstream.get(URL, **BROKEN)
    assert failure_of(client, "GET", write=True).outcome_unknown


def test_it_backs_off_further_each_time_with_full_jitter(session, fake_time, upstream):
    upstream.get(URL, **BROKEN)
    client = client_at(BASE, session=session, fake_time=fake_time, patience=WORKER, rand=0.5)
    failure = failure_of(client)
    assert isinstance(failure, errors.ServerFailure)
    assert fake_time.slept == [0.25, 0.5, 1.0, 2.0, 4.0]
    assert client.calls == WORKER.tries


def test_it_waits_as_long_as_it_is_asked(client, fake_time, upstream):
    upstream.get(URL, headers={"Retry-After": "3"}, **BUSY)
    upstream.get(URL, status=503, headers={"Retry-After": "2"})
    upstream.get(URL, json={"data": 1})
    client.request("GET", "/keys")
    assert fake_time.slept == [3.25, 2.25]


def test_it_gives_up_at_once_when_asked_for_more_than_its_patience(client, fake_time, upstream):
    upstream.get(URL, headers={"Retry-After": "30"}, **BUSY)
    failure = failure_of(client)
    assert isinstance(failure, errors.RateLimited)
    assert (failure.retry_after, failure.message) == (30.0, "Slow down")
    assert (fake_time.slept, client.calls) == ([], 1)


@pytest.mark.parametrize("patience", [WEB, WORKER, Patience(9, 4, 1, 1)])
def test_waits_and_tries_together_stay_within_the_patience(session, fake_time, upstream, patience):
    def slow(request):
        fake_time.now += 0.9
        return 500, {}, "{}"

    upstream.add_callback("GET", URL, callback=slow)
    limiter = RecordingLimiter(*[0.4] * 20)
    client = client_at(BASE, session=session, fake_time=fake_time, patience=patience, limiter=limiter)
    began = fake_time.now
    failure_of(client)
    assert fake_time.now - began <= patience.seconds + 0.9
    assert 1 < client.calls <= patience.tries


def test_each_try_may_take_only_what_remains(session, fake_time, upstream, monkeypatch):
    given = []
    real = requests.Session.send

    def note(*args: Any, timeout: Any, **kwargs: Any) -> requests.Response:
        given.append((timeout.total, timeout.connect_timeout, timeout._read))
        fake_time.now += 4
        return real(*args, **{**kwargs, "timeout": timeout})

    monkeypatch.setattr(requests.Session, "send", note)
    upstream.get(URL, **BROKEN)
    failure_of(client_at(BASE, session=session, fake_time=fake_time, rand=0))
    assert given == [(10, 3, 6), (6, 3, 6), (2, 2, 6)]


def test_it_takes_its_turn_before_every_try(session, fake_time, upstream):
    upstream.get(URL, **BROKEN)
    limiter = RecordingLimiter(0.3, 0.0, 0.2)
    client = client_at(BASE, session=session, fake_time=fake_time, limiter=limiter, rand=0.0)
    failure_of(client, group="analytics")
    assert limiter.reserved == ["analytics"] * 3
    assert fake_time.slept == [0.3, 0.0, 0.0, 0.2]


def test_it_tells_everybody_to_hold_when_upstream_is_busy(session, fake_time, upstream):
    limiter = RecordingLimiter()
    client = client_at(BASE, session=session, fake_time=fake_time, limiter=limiter)
    upstream.get(URL, headers={"Retry-After": "30"}, **BUSY)
    failure_of(client)
    assert limiter.held == [("default", 30.0)]


def test_it_holds_for_its_own_backoff_when_upstream_names_no_time(session, fake_time, upstream):
    limiter = RecordingLimiter()
    client = client_at(BASE, session=session, fake_time=fake_time, limiter=limiter)
    upstream.get(URL, **BUSY)
    upstream.get(URL, json={})
    client.request("GET", "/keys")
    assert limiter.held == [("default", 0.5)]


def test_it_does_not_queue_for_longer_than_its_patience(session, fake_time):
    limiter = RecordingLimiter(60.0)
    client = client_at(BASE, session=session, fake_time=fake_time, limiter=limiter)
    failure = failure_of(client, "POST")
    assert isinstance(failure, errors.RateLimited)
    assert (failure.status, failure.retry_after, failure.retryable) == (None, 60.0, True)
    assert not failure.outcome_unknown
    assert (client.calls, fake_time.slept, limiter.held) == (0, [], [])


def test_doubt_outlives_a_refusal(client, upstream):
    upstream.patch(URL, **BROKEN)
    upstream.patch(URL, status=401)
    failure = failure_of(client, "PATCH")
    assert isinstance(failure, errors.Unauthorized)
    assert failure.outcome_unknown


@pytest.mark.parametrize("key", ["", "sk-or v1", "sk-or-v1-é", "sk-or-v1-x\r\nX-Evil: 1", "\ud800"])
def test_a_key_no_header_can_carry_is_never_sent_nor_shown(session, fake_time, key):
    client = client_at(BASE, session=session, fake_time=fake_time, key=key)
    failure = failure_of(client)
    assert isinstance(failure, errors.Unauthorized)
    assert (failure.status, client.calls) == (None, 0)
    assert not key or key not in repr(vars(failure))


@pytest.mark.parametrize(
    ("body", "problem"), [({"limit": Decimal("NaN")}, ValueError), ({"x": object()}, TypeError)]
)
def test_a_body_json_cannot_hold_is_never_sent(client, body, problem):
    with pytest.raises(problem):
        client.request("POST", "/keys", body=body)
    assert client.calls == 0


@pytest.mark.parametrize(
    "problem",
    [
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidHeader,
        requests.exceptions.ChunkedEncodingError,
        requests.ConnectionError,
        requests.Timeout,
        requests.TooManyRedirects,
        OSError,
    ],
)
def test_no_exception_of_the_library_gets_through(client, upstream, problem):
    upstream.post(URL, body=problem(f"Bearer {RAW_KEY}"))
    failure = failure_of(client, "POST")
    assert RAW_KEY not in repr(failure)
    assert failure.__context__ is None
    assert failure.outcome_unknown is isinstance(failure, errors.AnswerLost)


def test_its_repr_says_where_and_not_with_what(client):
    assert repr(client) == f"OpenRouter('{BASE}')"
    assert RAW_KEY not in json.dumps(repr(vars(client)))


def test_a_base_url_that_is_none_is_refused():
    with pytest.raises(ValueError, match="base URL"):
        OpenRouter(base_url="openrouter.ai", key=Secret(RAW_KEY))
