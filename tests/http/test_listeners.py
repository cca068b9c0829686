"""`cornicen up` on one listener and on two, and whom it believes about who sends."""

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request

import pytest

from cornicen.apps.cli.running import run
from cornicen.apps.cli.up import _listening
from cornicen.apps.demo.hand import do, started
from cornicen.apps.home import Home, Settings
from cornicen.apps.roles import _server
from cornicen.apps.up import running
from cornicen.errors import BadSetting

TWO = ["--listen", "capture=127.0.0.1:0", "--listen", "console=127.0.0.1:0"]


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.journey
def test_capture_and_console_are_apart_and_the_command_line_finds_both(tmp_path):
    do("init", str(tmp_path / "home"), "--public-url", "https://events.example.com/")
    (tmp_path / "events").write_text(json.dumps({"event": "a", "properties": {"distinct_id": "u", "time": 1_795_539_600}}))
    with started("up", "--home", str(tmp_path / "home"), *TWO) as up:
        said = up.ready()
        capture, console = said["address"], said["console"]
        assert capture != console
        assert said["public"] == "https://events.example.com"
        shown = {path: (status(capture + path), status(console + path)) for path in ("/health", "/", "/import")}
        assert (shown["/health"], shown["/"], shown["/import"][1]) == ((200, 200), (404, 200), 404)
        assert shown["/import"][0] != 404
        with urllib.request.urlopen(f"{console}/?as=json", timeout=60) as answer:
            assert json.load(answer)["address"] == "https://events.example.com"
        found = running(Home.find(tmp_path / "home"))
        assert (found.address, found.console, found.public) == (capture, console, said["public"])
        arguments = ["import", str(tmp_path / "events"), "--format", "mixpanel-export", "--home", str(tmp_path / "home")]
        assert do(*arguments)["taken"] == 1


def listening(host=None, port=None, listen=(), public=None, **settings):
    found = _listening(Settings(**settings), host, port, list(listen), public)
    return (str(found.capture), None if found.console is None else str(found.console), found.public)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({}, ("127.0.0.1:8585", None, "")),
        ({"port": 0}, ("127.0.0.1:0", None, "")),
        ({"host": "::1", "listen_console": "127.0.0.1:1"}, ("[::1]:8585", None, "")),
        ({"listen": ["capture=0.0.0.0:80"]}, ("0.0.0.0:80", "127.0.0.1:8585", "")),
        ({"listen": ["console=[::1]:80"], "listen_capture": "10.0.0.1:5"}, ("10.0.0.1:5", "[::1]:80", "")),
        ({"listen_capture": "10.0.0.1:5", "listen_console": "10.0.0.1:5"}, ("10.0.0.1:5", None, "")),
        ({"listen": ["capture=h:0", "console=h:0"]}, ("h:0", "h:0", "")),
        ({"public_url": "https://a.example/"}, ("127.0.0.1:8585", None, "https://a.example")),
        ({"public": "http://b.example:81", "public_url": "https://a.example"}, ("127.0.0.1:8585", None, "http://b.example:81")),
    ],
)
def test_options_go_before_settings_and_one_place_is_one_listener(given, meant):
    assert listening(**given) == meant


@pytest.mark.parametrize(
    "given",
    [
        {"listen": ["8585"]},
        {"listen": ["door=127.0.0.1:1"]},
        {"listen": ["capture=127.0.0.1"]},
        {"listen": ["capture=h:1", "capture=h:2"]},
        {"listen": ["capture=h:1"], "port": 5},
        {"public": "events.example.com"},
        {"public": "https://events.example.com/t"},
    ],
)
def test_what_cannot_be_meant_is_refused(given):
    with pytest.raises(BadSetting):
        listening(**given)


def test_the_command_line_refuses_it_before_anything_is_started(tmp_path, capsys):
    do("init", str(tmp_path / "home"))
    assert run(["up", "--home", str(tmp_path / "home"), "--listen", "everything=1", "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "bad_setting"
    assert not list((tmp_path / "home/run").glob("*.pid"))


def test_init_writes_down_what_senders_call_the_house(tmp_path):
    made = do("init", str(tmp_path / "home"), "--public-url", "https://events.example.com/")
    assert made["address"] == Home.find(tmp_path / "home").settings.public_url == "https://events.example.com"
    assert do("init", str(tmp_path / "other"))["address"] == "http://127.0.0.1:8585"


async def echo(scope, receive, send):
    """Answers with the sender's address."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ((), "203.0.113.9", "127.0.0.1"),
        (("10.0.0.0/8",), "203.0.113.9", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.9", "203.0.113.9"),
        (("127.0.0.0/8",), "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (("127.0.0.1", "203.0.113.9"), "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (("127.0.0.1",), None, "127.0.0.1"),
    ],
)
def test_only_a_trusted_proxy_is_believed_about_who_sends(monkeypatch, trusted, forwarded, address):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _server(echo, trusted)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.01)
        headers = {"x-forwarded-for": forwarded} if forwarded else {}
        try:
            where = "http://{}:{}".format(*listener.getsockname())
            with urllib.request.urlopen(urllib.request.Request(where, headers=headers), timeout=60) as answer:
                assert answer.read().decode() == address
        finally:
            server.should_exit = True
            thread.join()


def test_a_place_that_is_taken_is_named(tmp_path, capsys):
    do("init", str(tmp_path / "home"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = "{}:{}".format(*other.getsockname())
        listen = ["--listen", "capture=127.0.0.1:0", "--listen", f"console={taken}"]
        assert run(["up", "--home", str(tmp_path / "home"), *listen, "--json"]) == 2
    assert taken in json.loads(capsys.readouterr().err)["error"]["what"]
