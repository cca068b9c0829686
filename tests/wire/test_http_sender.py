import asyncio
import contextlib
import datetime
import socket
import ssl
import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cornicen.wire.client import LARGEST_BODY, HttpSender
from cornicen.wire.http import NoAnswer, NotSent, Reply, Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: Yes\r\n\r\nok"
SHORT = 0.3
"""Seconds: what a time-out is tried with."""


class Server:
    """A raw socket server on the loopback; ``behave`` is called for each request that has arrived whole."""

    def __init__(self, behave, *, tls=None):
        self.behave, self.tls = behave, tls
        self.requests = []
        self.connections = 0
        self.under_way = {}
        self.arrived = asyncio.Event()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task, writer in self.under_way.items():
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await task

    async def serve(self, reader, writer):
        self.connections += 1
        self.under_way[asyncio.current_task()] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
                )
                self.requests.append(head + await reader.readexactly(length))
                self.arrived.set()
                await self.behave(self, writer)
                await writer.drain()
        writer.close()


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def saying(*pieces, then=None):
    async def behave(_server, writer):
        for piece in pieces:
            writer.write(piece)
        if then is not None:
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            then(writer)

    return behave


def ask(behave, *requests, timeout=5.0, tls=None, **settings):
    """Send these one after another to such a server; what came back, and the server."""

    async def run():
        async with Server(behave, tls=tls) as server, HttpSender(**settings) as sender:
            made = [
                Request(method, (server.url if tls is None else server.url.replace("http:", "https:")) + path, {}, body)
                for method, path, body in requests
            ]
            return [await sender.send(request, timeout=timeout) for request in made], server

    return asyncio.run(run())


GET, PATCH = ("GET", "/", None), ("PATCH", "/users/a%2Fb%20c?x=%20", b'{"a":1}')


def test_a_whole_answer_is_a_reply_and_the_url_is_sent_as_it_is():
    (reply,), server = ask(saying(OK), PATCH)
    assert reply == Reply(200, {"content-length": "2", "x-seen": "Yes"}, b"ok")
    assert server.requests[0].startswith(b"PATCH /users/a%2Fb%20c?x=%20 HTTP/1.1\r\n")
    assert server.requests[0].endswith(b'{"a":1}')
    assert b"User-Agent: cornicen/" in server.requests[0]


def test_a_chunked_answer_is_put_together():
    (reply,), _ = ask(saying(b"HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), GET)
    assert (reply.status, reply.body) == (202, b"abcde")


def test_nobody_listening_is_not_sent():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        result = asyncio.run(once(Request("PATCH", f"http://127.0.0.1:{port}/", {}, b"{}")))
    assert isinstance(result, NotSent)
    assert "cannot be connected to" in result.why


async def once(request, timeout=5.0, **settings):
    async with HttpSender(**settings) as sender:
        return await sender.send(request, timeout=timeout)


def test_a_name_that_cannot_be_is_not_sent():
    assert isinstance(asyncio.run(once(Request("GET", f"http://{'a' * 64}.invalid/"))), NotSent)


def test_a_connection_that_does_not_come_about_in_time_is_not_sent():
    with socket.socket() as full, contextlib.ExitStack() as clients:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # the kernel lets the queue's length plus one in, and is silent to the others
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        result = asyncio.run(once(Request("PATCH", f"http://127.0.0.1:{full.getsockname()[1]}/", {}, b"{}"), SHORT))
    assert result == NotSent("timed out")


def test_waiting_in_vain_for_a_free_connection_is_not_sent():
    async def run():
        async with Server(saying()) as server, HttpSender(connections=1) as sender:
            first = asyncio.create_task(sender.send(Request("PATCH", server.url, {}, b"{}"), timeout=5))
            await server.arrived.wait()
            second = await sender.send(Request("PATCH", server.url, {}, b"{}"), timeout=SHORT)
            first.cancel()
            return second, len(server.requests)

    assert asyncio.run(run()) == (NotSent("timed out"), 1)


def test_tls_that_cannot_be_agreed_on_is_not_sent():
    async def plain(reader, writer):
        await reader.read(100)
        writer.write(b"this is no TLS")
        writer.close()

    async def run():
        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await once(Request("PATCH", f"https://127.0.0.1:{port}/", {}, b"{}"))

    assert isinstance(asyncio.run(run()), NotSent)


@pytest.fixture
def untrusted(tmp_path):
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = made.not_valid_before(start).not_valid_after(start.replace(year=2099)).sign(key, hashes.SHA256())
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "both.pem").write_bytes(text + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    return context


def test_a_server_whose_certificate_is_not_trusted_gets_no_byte_of_the_request(untrusted):
    (result,), server = ask(saying(OK), PATCH, tls=untrusted)
    assert isinstance(result, NotSent)
    assert "certificate is not trusted" in result.why
    assert not server.requests


@pytest.mark.parametrize(
    "behave",
    [
        saying(then=reset),
        saying(then=lambda writer: writer.close()),
        saying(b"HTTP/1.1 200 OK\r\nContent-", then=lambda writer: writer.close()),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", then=lambda writer: writer.close()),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", then=reset),
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", then=lambda writer: writer.close()),
        saying(b"this is no HTTP\r\n\r\n"),
    ],
    ids=["reset", "closed", "half a head", "half a body", "half a body, reset", "half a chunk", "no HTTP"],
)
@pytest.mark.parametrize("method", ["PATCH", "GET", "DELETE"])
def test_whatever_breaks_after_a_connection_was_had_is_no_answer_and_is_sent_once(behave, method):
    (result,), server = ask(behave, (method, "/", None))
    assert isinstance(result, NoAnswer)
    assert len(server.requests) == 1


def test_a_connection_reset_before_the_request_was_read_is_no_answer():
    async def run():
        async def slam(_reader, writer):
            reset(writer)

        server = await asyncio.start_server(slam, "127.0.0.1", 0)
        async with server:
            return await once(Request("PATCH", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {}, b"{}"))

    assert isinstance(asyncio.run(run()), NoAnswer)


@pytest.mark.parametrize("method", ["PATCH", "GET", "DELETE"])
def test_a_kept_connection_that_breaks_is_no_answer_and_the_request_is_not_repeated_behind_our_back(method):
    async def behave(server, writer):
        if len(server.requests) == 1:
            writer.write(OK)
        else:
            reset(writer)

    (first, second), server = ask(behave, (method, "/", None), (method, "/", None))
    assert isinstance(first, Reply)
    assert isinstance(second, NoAnswer)
    assert (server.connections, len(server.requests)) == (1, 2)


def test_silence_is_no_answer():
    (result,), _ = ask(saying(), PATCH, timeout=SHORT)
    assert result == NoAnswer("timed out")


def test_an_answer_that_drips_for_longer_than_the_time_out_is_no_answer():
    async def drip(_server, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    (result,), _ = ask(drip, PATCH, timeout=SHORT)
    assert result == NoAnswer("timed out")


def test_of_a_huge_body_only_so_much_is_read():
    async def flood(_server, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    (reply,), _ = ask(flood, GET)
    assert (reply.status, len(reply.body)) == (200, LARGEST_BODY)


def test_a_redirect_is_an_answer_and_is_not_followed():
    (reply,), server = ask(saying(b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"), GET)
    assert (reply.status, reply.headers["location"]) == (302, "/there")
    assert len(server.requests) == 1


def test_cookies_are_not_kept():
    _, server = ask(saying(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"), GET, GET)
    assert b"cookie" not in server.requests[1].lower()


@pytest.mark.parametrize(("trust_env", "kind"), [(False, Reply), (True, NotSent)])
def test_a_proxy_in_the_environment_counts_only_when_it_is_asked_for(monkeypatch, trust_env, kind):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("http_proxy", raising=False)
        (result,), _ = ask(saying(OK), GET, trust_env=trust_env)
    assert isinstance(result, kind)


def test_closing_twice_is_closing_once():
    async def run():
        sender = HttpSender()
        await sender.close()
        await sender.close()

    asyncio.run(run())
