"""A webhook that Slack understands, and mail: on the wire, and as settings."""

import asyncio
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mail_server import MailServer

from cornicen.apps.cli.running import run as command
from cornicen.apps.clock import SystemClock
from cornicen.apps.courier import Wiring, run, work
from cornicen.apps.courier.channels import Mail, Webhook, channels, slack_text
from cornicen.apps.home import Home
from cornicen.errors import BadFolder, BadSetting, Unavailable
from cornicen.flows.ports.telling import Kind, Notice
from cornicen.flows.records import Cohort, Connection, Project, Sync, SyncStatus
from cornicen.wire.client import HttpSender
from cornicen.wire.mail import Security, Server

NOTICE = Notice(
    7, "a" * 32, "mail", Kind.VIOLATION, "lapsed is failing (shöp)", "Its words: “<!channel> & more”", 1_795_539_600_000_000
)
MAIL = 'notify_mail_to = ["ops@example.com"]\n'
FROM = 'notify_mail_from = "cornicen@example.com"\nsmtp_host = "127.0.0.1"\n'


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.path, self.headers["content-type"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def receiver():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Taking) as server:
        server.taken, server.status = [], 200
        server.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


@pytest.fixture
def mails():
    with MailServer() as server:
        yield server


def post(url):
    async def posting():
        async with HttpSender() as sender:
            await Webhook(url, sender).tell(NOTICE)

    asyncio.run(posting())


def mailed(server, to=("ops@example.com",)):
    line = Server("127.0.0.1", server if isinstance(server, int) else server.server_address[1], Security.NONE)
    asyncio.run(Mail(line, "cornicen@example.com", to).tell(NOTICE))


def test_a_webhook_gets_one_text_as_slack_takes_it_and_no_word_of_it_mentions_or_links(receiver):
    post(f"{receiver.address}/services/T/B/x")
    [(path, kind, body)] = receiver.taken
    assert (path, kind) == ("/services/T/B/x", "application/json; charset=utf-8")
    assert body == {"text": "*lapsed is failing (shöp)*\nIts words: “&lt;!channel&gt; &amp; more”"}
    assert "<" not in slack_text(NOTICE)


@pytest.mark.parametrize("status", [302, 403, 404, 429, 500])
def test_an_answer_that_is_no_yes_is_nobody_and_the_address_is_not_told(receiver, status):
    receiver.status = status
    with pytest.raises(Unavailable, match=f"answers {status}") as caught:
        post(f"{receiver.address}/secret-path")
    assert "secret" not in str(caught.value)


def test_a_receiver_that_is_not_there_is_nobody():
    with pytest.raises(Unavailable, match="cannot be connected to"):
        post("http://127.0.0.1:1/secret")


def test_a_mail_says_the_same_to_everybody_it_is_for_and_has_an_id_of_its_own(mails):
    mailed(mails, ("ops@example.com", "second@example.com"))
    mailed(mails)
    first, again = mails.mails
    assert mails.rcpt == ["ops@example.com", "second@example.com", "ops@example.com"]
    assert first["subject"] == "lapsed is failing (shöp)"
    assert first["from"] == "cornicen@example.com"
    assert first.get_content().replace("\r\n", "\n") == "lapsed is failing (shöp)\n\nIts words: “<!channel> & more”\n"
    assert first["message-id"] == again["message-id"] == f"<{'a' * 32}.7.1795539600000000@example.com>"
    assert first["auto-submitted"] == "auto-generated"


def test_a_server_that_takes_it_not_or_not_for_all_is_nobody_and_is_not_quoted(mails):
    mails.full = True
    with pytest.raises(Unavailable, match="it answers 452") as caught:
        mailed(mails)
    assert "secret" not in str(caught.value)
    mails.full, mails.refused = False, ("ops@example.com",)
    with pytest.raises(Unavailable, match="refuses the recipients"):
        mailed(mails)
    with pytest.raises(Unavailable, match="refuses 1 of the recipients"):
        mailed(mails, ("ops@example.com", "second@example.com"))


def test_a_mail_server_that_is_not_there_or_has_no_starttls_is_nobody(mails):
    with pytest.raises(Unavailable, match="refused"):
        mailed(1)
    line = Server("127.0.0.1", mails.server_address[1], Security.STARTTLS)
    with pytest.raises(Unavailable, match="STARTTLS"):
        asyncio.run(Mail(line, "cornicen@example.com", ["ops@example.com"]).tell(NOTICE))
    assert mails.mails == []


def made(tmp_path, settings, **environment):
    return channels(Home.make(tmp_path / "home", settings), HttpSender(), environment)


def test_no_setting_is_no_channel(tmp_path):
    assert made(tmp_path, "") == {}


def test_references_lead_to_the_secrets(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/password").write_text("hidden\n")
    hook, line = 'notify_webhook = "env:HOOK"\n', 'smtp_security = "tls"\nsmtp_port = 465\n'
    login = 'smtp_user = "u"\nsmtp_password = "file:password"\n'
    found = made(tmp_path, MAIL + FROM + hook + line + login, HOOK="https://hooks.example.com/x")
    assert found["webhook"].url == "https://hooks.example.com/x"
    assert found["mail"].server == Server("127.0.0.1", 465, Security.TLS, "u", "hidden")
    assert "hidden" not in repr(found)
    assert "hooks" not in repr(found)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (MAIL, "smtp_host"),
        ('notify_webhook = "env:HOOK"\n', "HOOK, which is not set"),
        ('notify_webhook = "env:WRONG"\n', "leads to no address"),
        (MAIL + FROM + 'smtp_user = "u"\n', "smtp_password"),
        (MAIL + FROM + 'smtp_user = "u"\nsmtp_password = "env:WRONG"\nsmtp_security = "none"\n', "in the clear"),
    ],
)
def test_settings_that_lead_nowhere_are_refused_before_anything_is_started(tmp_path, monkeypatch, capsys, settings, told):
    with pytest.raises(BadSetting) as caught:
        made(tmp_path, settings, WRONG="ftp-secret")
    assert told in str(caught.value)
    assert "ftp-secret" not in str(caught.value)
    monkeypatch.setenv("WRONG", "ftp-secret")
    assert command(["up", "--home", str(tmp_path / "home"), "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "bad_setting"


@pytest.mark.parametrize(
    "line",
    [
        'notify_webhook = "hooks.example.com/pa55"',
        'notify_webhook = "https://a b"',
        'notify_mail_to = ["ops"]',
        'notify_mail_to = ["ops@example.com\\nBcc: all@example.com"]',
        'notify_mail_from = "Ops <ops@example.com>"',
        'smtp_security = "ssl"',
        'smtp_password = "pa55"',
        "smtp_port = 0",
    ],
)
def test_a_setting_that_cannot_be_meant_is_a_fault_that_repeats_no_secret(tmp_path, line):
    with pytest.raises(BadFolder) as caught:
        Home.make(tmp_path, line + "\n")
    assert len(caught.value.faults) == 1
    assert "pa55" not in str(caught.value)


async def until(true):
    while not true():  # noqa: ASYNC110 - what is waited for is another's state
        await asyncio.sleep(0.005)


def test_a_courier_tells_over_both_at_once_and_a_second_one_after_it_repeats_nothing(
    receiver, mails, state, tmp_path, monkeypatch
):
    monkeypatch.setattr(work, "WATCH", 0.01)
    state.projects.add(Project("p", "shop", "token"))
    state.connections.put(Connection("c" * 32, "p", "push", "vendor"))
    state.cohorts.put(Cohort("p", "lapsed", "Lapsed", {}))
    state.syncs.put(Sync("a" * 32, "p", "lapsed", "c" * 32, status=SyncStatus.STOPPED, last_as_of=SystemClock().now()))
    settings = f'notify_webhook = "{receiver.address}/hook"\nsmtp_port = {mails.server_address[1]}\nsmtp_security = "none"\n'
    home = Home.make(tmp_path / "home", MAIL + FROM + settings)

    @contextlib.asynccontextmanager
    async def couriering():
        sender, stop = HttpSender(), asyncio.Event()
        tells = channels(home, sender, {})
        wiring = Wiring(state, sender, SystemClock(), lambda _: None, tmp_path / "run" / "lock", sender.close, tells)
        task = asyncio.create_task(run(wiring, stop))
        yield
        stop.set()
        await task

    async def play():
        async with couriering():
            await until(lambda: receiver.taken and mails.mails)
        async with couriering():
            state.syncs.change("a" * 32, status=SyncStatus.ACTIVE)
            await until(lambda: len(receiver.taken) == len(mails.mails) == 2)

    asyncio.run(play())
    assert [body["text"].partition("*\n")[0] for *_, body in receiver.taken] == [
        "*lapsed is failing (shop)",
        "*lapsed is fine again (shop)",
    ]
    assert [mail["subject"] for mail in mails.mails] == ["lapsed is failing (shop)", "lapsed is fine again (shop)"]
