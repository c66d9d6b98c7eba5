"""Traces: W3C context in, spans out to a collector, in one chain from the request to the sandbox."""

from __future__ import annotations

import secrets

import pytest

from harness.api import Api, accepted_python, bundled_problems
from harness.observability import Collector, attributes, free_port
from harness.waiting import until
from harness.wire import RawSocket, stateless, text_update, update

SERVER, CONSUMER, INTERNAL = 2, 5, 1


@pytest.fixture
def collector():
    made = Collector()
    yield made
    made.close()


@pytest.fixture
def traced(serve, collector):
    return serve("--trace-collector", collector.url)


def begin(sampled=True) -> tuple[str, str, dict]:
    """A trace of the caller's: its id, the caller's span, and the fields that say so."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, {"traceparent": f"00-{trace}-{span}-0{int(sampled)}", "tracestate": "shop=cart"}


def chain(collector, trace: str, names: list[str], parent: str) -> list[dict]:
    """Spans of a trace, each the parent of the next; the first one's parent is the caller's span."""
    spans = []
    for name in names:
        found = until(f"a span {name}", lambda: [s for s in collector.named(name, trace)], 20)
        assert len(found) == 1, f"{len(found)} spans {name}"
        assert found[0].get("parentSpanId") == parent, f"{name} has parent {found[0].get('parentSpanId')}, expected {parent}"
        assert int(found[0]["startTimeUnixNano"]) <= int(found[0]["endTimeUnixNano"])
        parent = found[0]["spanId"]
        spans.append(found[0])
    return spans


def below(collector, parent: dict, name: str) -> list[dict]:
    return [s for s in collector.named(name, parent["traceId"]) if s.get("parentSpanId") == parent["spanId"]]


def test_a_submission_is_one_trace_from_request_to_sandbox(traced, collector):
    alice = Api(traced).register()
    problem = bundled_problems()[0]
    trace, caller, fields = begin()
    made = alice.call(
        "POST", f"/v1/problems/{problem}/submissions", headers=fields, expect=202,
        json={"language": "python", "source": accepted_python(problem)},
    ).json()
    verdict = alice.verdict(made["id"])
    route = "/api/v1/problems/{id}/submissions"
    request, judge = chain(collector, trace, [f"POST {route}", "process judge"], caller)
    assert request["kind"] == SERVER and judge["kind"] == CONSUMER
    assert request["traceState"] == "shop=cart"
    of_request = attributes(request)
    assert of_request["http.request.method"] == "POST" and of_request["http.route"] == route
    assert of_request["http.response.status_code"] == 202
    of_judge = attributes(judge)
    assert of_judge["messaging.message.id"] == made["id"] and of_judge["coduel.verdict"] == "AC"
    assert of_judge["messaging.operation.type"] == "process" and of_judge["coduel.problem.id"] == problem
    compiled = until("the compile span", lambda: below(collector, judge, "compile python"))
    tests = until(
        "a span for each test",
        lambda: len(found := below(collector, judge, "run python")) == len(verdict["tests"]) and found,
    )
    assert len(compiled) == 1 and compiled[0]["kind"] == INTERNAL
    assert int(judge["startTimeUnixNano"]) <= int(compiled[0]["startTimeUnixNano"])
    assert all(int(s["endTimeUnixNano"]) <= int(judge["endTimeUnixNano"]) for s in compiled + tests)
    assert all(attributes(s)["coduel.execution.verdict"] == "AC" for s in tests)
    resource = collector.resources[0]
    assert resource["service.name"] == "coduel" and resource["service.version"] and resource["service.instance.id"]
    assert accepted_python(problem)[:40] not in str(collector.spans)


def test_a_submission_in_a_room_passes_through_it(traced, collector):
    alice = Api(traced).register()
    problem = bundled_problems()[0]
    room = alice.make_pair_room(problem_id=problem)["id"]
    trace, caller, fields = begin()
    made = alice.call(
        "POST", f"/v1/rooms/{room}/submissions", headers=fields, expect=202, json={"language": "python"}
    ).json()
    alice.verdict(made["id"])
    spans = chain(collector, trace, ["POST /api/v1/rooms/{id}/submissions", "store submission", "process judge"], caller)
    assert attributes(spans[1])["coduel.room.id"] == room == attributes(spans[2])["coduel.room.id"]


def test_a_submission_on_a_socket_belongs_to_the_request_for_it(traced, collector):
    alice = Api(traced).register()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])["id"]
    trace, caller, fields = begin()
    with RawSocket(traced, f"/sync/{room}/main", alice.token, headers=fields) as socket:
        socket.wait_synced()
        socket.send(update(text_update(9_001, "print(1)\n")))
        socket.send(stateless({"type": "submit", "nonce": "n1", "language": "python"}))
        socket.wait_for("the answer", lambda m: m[0] == 5 and "submit." in str(m))
        names = ["GET /sync/{room}/{document}", "store submission", "process judge"]
        spans = chain(collector, trace, names, caller)
    assert attributes(spans[0])["http.response.status_code"] == 101


def test_a_submit_message_may_name_a_trace_of_its_own(traced, collector):
    alice = Api(traced).register()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])["id"]
    _, _, of_socket = begin()
    trace, caller, of_message = begin()
    with RawSocket(traced, f"/sync/{room}/main", alice.token, headers=of_socket) as socket:
        socket.wait_synced()
        socket.send(update(text_update(9_001, "print(1)\n")))
        socket.send(stateless({"type": "submit", "nonce": "n1", "language": "python"} | of_message))
        socket.wait_for("the answer", lambda m: m[0] == 5 and "submit." in str(m))
        chain(collector, trace, ["store submission", "process judge"], caller)


def test_a_trace_begins_here_where_the_caller_has_none(traced, collector):
    api = Api(traced)
    for bad in (None, "nonsense", "00-" + "0" * 32 + "-" + "1" * 16 + "-01"):
        api.call("GET", "/v1/problems", headers={"traceparent": bad} if bad else {})
    spans = until("three spans", lambda: len(f := collector.named("GET /api/v1/problems")) == 3 and f)
    assert all("parentSpanId" not in span for span in spans)
    assert len({span["traceId"] for span in spans}) == 3


def test_errors_of_the_server_alone_are_failures(traced, collector):
    Api(traced).call("GET", "/v1/nothing", expect=404)
    (span,) = until("the span", lambda: collector.named("GET none"))
    assert span["status"] == {}


def test_the_caller_decides_what_is_recorded(serve, collector):
    server = serve("--trace-collector", collector.url, "--trace-percent", "0")
    api = Api(server)
    trace, caller, fields = begin()
    unwanted, _, off = begin(sampled=False)
    api.call("GET", "/v1/problems", headers=off)
    api.call("GET", "/v1/problems")
    api.call("GET", "/v1/problems", headers=fields)
    chain(collector, trace, ["GET /api/v1/problems"], caller)
    assert {span["traceId"] for span in collector.spans} == {trace}


def test_nothing_is_sent_unless_asked_for(serve, collector):
    Api(serve()).call("GET", "/v1/problems", headers=begin()[2])
    assert collector.requests == 0


def metric(server, name: str) -> float:
    text = Api(server).call("GET", "/metrics").text
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))


def test_without_a_collector_spans_are_dropped_and_counted(serve):
    server = serve("--trace-collector", f"http://127.0.0.1:{free_port()}")
    api = Api(server)
    for _ in range(20):
        api.call("GET", "/v1/problems", expect=200)
    until("they were given up", lambda: metric(server, "coduel_trace_spans_dropped_total") >= 20, 20, every=0.3)
    assert metric(server, "coduel_trace_spans_exported_total") == 0
    assert server.stop() == 0


def test_the_last_spans_leave_at_the_end(traced, collector):
    Api(traced).call("GET", "/v1/problems", expect=200)
    assert traced.stop() == 0
    assert collector.named("GET /api/v1/problems")
