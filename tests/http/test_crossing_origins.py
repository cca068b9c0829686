"""Pages of other origins may use every vendor's route, and none of our own pages."""

import asyncio
from functools import partial

import pytest

from cornicen.apps.http.app import Side, Wiring, app
from cornicen.errors import Unavailable
from cornicen.flows.vendors import Credential, Fate, Manifest, Outbound, Parsed, Part, Route
from cornicen.integrations import found

PAGE = "https://shop.example"
ROUTES = [(method, route.path) for vendor in found().values() for route in vendor.routes for method in route.methods[:1]]


def told(reply):
    """What a browser reads of an answer's headers before it shows it to a page."""
    prefix = "access-control-"
    return {name.removeprefix(prefix): value for name, value in reply.headers.items() if name.startswith(prefix)}


@pytest.mark.parametrize("origin", [PAGE, "http://127.0.0.1:5173", "null"])
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("path", ["/import?strict=1", "/engage/"])
def test_a_page_of_another_origin_may_read_the_answer(door, method, path, origin):
    reply = door.ask(method, path, headers={"origin": origin})
    assert told(reply) == {"allow-origin": origin, "allow-credentials": "true", "expose-headers": "retry-after"}
    assert reply.headers["vary"] == "Origin"


def test_a_sender_that_is_no_page_is_told_nothing_of_it(door):
    reply = door.ask("POST", "/import?strict=1")
    assert (told(reply), reply.headers["vary"]) == ({}, "Origin")


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("asked", ["content-type, content-encoding", "authorization", "Content-Type", None])
def test_a_browser_that_asks_first_may_send(door, method, path, asked):
    headers = {"origin": PAGE, "access-control-request-method": method}
    reply = door.ask("OPTIONS", path, headers=headers | ({"access-control-request-headers": asked} if asked else {}))
    assert (reply.status, reply.body) == (204, b"")
    said = told(reply)
    assert (said["allow-origin"], said["allow-credentials"], reply.headers["vary"]) == (PAGE, "true", "Origin")
    assert method in said["allow-methods"].split(", ")
    assert said.get("allow-headers") == asked
    assert int(said["max-age"]) > 0


def test_options_without_an_origin_names_the_methods(door):
    reply = door.ask("OPTIONS", "/import")
    assert (reply.status, told(reply)) == (204, {})
    assert set(reply.headers["allow"].split(", ")) >= {"POST", "OPTIONS"}


@pytest.mark.parametrize("path", ["/", "/?as=json", "/health", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_our_own_pages_are_not_for_other_origins(door, path, method):
    reply = door.ask(method, path, headers={"origin": PAGE, "access-control-request-method": "GET"})
    assert told(reply) == {}
    assert (reply.status in {404, 405}) == (method == "OPTIONS" or path == "/nowhere")


def answer(status, _fate):
    return Outbound(status, b"{}", headers={"retry-after": "30"})


def failing(_inbound):
    raise Unavailable("The disk failed.", "Look at the disk.")


def vendor(**change):
    """A vendor of one route; what is not said of it is well."""
    route = {"methods": ("POST",), "path": "/x", "limit": 10, "too_large": partial(answer, 413, None)}
    parts = (Part(Credential("token", "shop-token"), "live", ()),)
    route["parse"] = lambda _: Parsed(parts, partial(answer, 429))
    return Manifest("x", "X", "analytics", routes=(Route(**route | change),))


def ask(wiring, method, path, body=b"", sides=tuple(Side)):
    """One request to an application that is not served: its status and headers."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"origin", PAGE.encode())], "query_string": b""}
    asyncio.run(app(wiring, sides)(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    ("change", "method", "body", "status"),
    [
        ({}, "POST", b"", 429),
        ({}, "POST", b"x" * 11, 413),
        ({}, "PUT", b"", 405),
        ({"parse": failing}, "POST", b"", 503),
        ({"parse": lambda _: 1 / 0}, "POST", b"", 500),
    ],
)
def test_an_error_can_be_read_across_origins_too(house, change, method, body, status):
    was = house.wiring()
    answered, headers = ask(Wiring((vendor(**change),), was.receiver, was.state, was.keeper, was.clock), method, "/x", body)
    assert (answered, headers["access-control-allow-origin"]) == (status, PAGE)
    assert headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize(
    ("sides", "shown"),
    [
        ([Side.CAPTURE], {"/health", "/import", "/engage"}),
        ([Side.CONSOLE], {"/health", "/"}),
        (list(Side), {"/health", "/", "/import", "/engage"}),
    ],
)
def test_a_listener_shows_its_own_side_only(house, sides, shown):
    paths = {"/", "/health", "/import", "/engage", "/nowhere"}
    assert {path for path in paths if ask(house.wiring(), "GET", path, sides=sides)[0] != 404} == shown


def test_paths_collide_also_when_no_listener_shows_both(house):
    was = house.wiring()
    wiring = Wiring((vendor(path="/"),), was.receiver, was.state, was.keeper, was.clock)
    for sides in ([Side.CAPTURE], [Side.CONSOLE]):
        with pytest.raises(ValueError, match="want the path /"):
            app(wiring, sides)


def test_a_request_that_is_denied_is_answered_and_counted(house):
    parts = (Part(Credential("token", "nobody's-token"), "live", ()),)
    denied = vendor(parse=lambda _: Parsed(parts, lambda fate: Outbound(200, fate.encode())))
    was = house.wiring()
    wiring = Wiring((denied,), was.receiver, was.state, was.keeper, was.clock)
    assert [ask(wiring, "POST", "/x")[0] for _ in range(2)] == [200, 200]
    [stranger] = was.receiver.strangers.counted()
    assert (stranger.source, stranger.credential, stranger.requests) == ("x:/x", "token nobo…", 2)
    assert Fate.DENIED == "denied"
