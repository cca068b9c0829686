"""The CSV export: asking for one, and fetching its file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from cornicen.integrations.onesignal.simulator.answers import Answer, Refused, answer
from cornicen.integrations.onesignal.simulator.api.call import Call
from cornicen.integrations.onesignal.simulator.state.exports import EXTRA_FIELDS, Export, write
from cornicen.integrations.onesignal.simulator.state.people import Subscription, User

NOT_THERE = Answer(
    404,
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>",
    ((b"content-type", b"application/xml"),),
)
"""What a file's address answers until the file is written, and from the third day on."""


class _Export(msgspec.Struct):
    extra_fields: list[str] = []
    segment_name: str | None = None
    last_active_since: str | int | None = None
    include_unsubscribed: bool = False


def create_export(call: Call) -> Answer:
    """200 with the address at which the file will be. One export runs at a time, over all applications of an account.

    The file shows its application as it was when the export was asked for.
    """
    app, now = call.app, call.now
    wanted = call.body(_Export) if call.asked.body else _Export()
    if unknown := sorted(set(wanted.extra_fields) - EXTRA_FIELDS.keys()):
        raise Refused(400, f"Unknown extra_fields: {', '.join(unknown)}")
    users = _users(call, wanted.segment_name)
    since = _since(wanted.last_active_since)
    if any(export.running(now) for export in app.exports.values()):
        raise Refused(400, "Another export is already running.", extra={"success": False})
    only_subscribed = wanted.segment_name is not None and not wanted.include_unsubscribed

    def keep(subscription: Subscription) -> bool:
        active = subscription.owner.last_active or 0
        return active >= since and (subscription.subscribed or not only_subscribed)

    content, rows = write(users, wanted.extra_fields, keep, now)
    seconds = rows / app.knobs.export_rows_per_second if app.knobs.export_rows_per_second else 0.0
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    export = Export(f"users_{app.ids.next().replace('-', '')}_{day}.csv.gz", rows, content, now + seconds)
    for file in [name for name, each in app.exports.items() if not each.running(now) and not each.fetchable(now)]:
        del app.exports[file]
    app.exports[export.file] = export
    host = call.asked.headers.get("host", "127.0.0.1")
    return answer(200, {"csv_file_url": f"http://{host}/csv_exports/{app.id}/{export.file}"})


def _users(call: Call, segment_name: str | None) -> Iterable[User]:
    everybody = call.app.users.values()
    if segment_name is None:
        return everybody
    found = next((each for each in call.app.segments.values() if each.name == segment_name), None)
    if found is None:
        raise Refused(400, "segment not found", extra={"success": False})
    return found.members(everybody, call.now)


def _since(written: str | int | None) -> int:
    """Unix seconds, 0 if nothing is said."""
    text = str(written or 0)
    if not text.isascii() or not text.isdigit():
        raise Refused(400, "last_active_since must be Unix seconds")
    return int(text)


def fetch_export(call: Call) -> Answer:
    """The gzipped file, or a 404 in XML. It needs no key: its name cannot be guessed."""
    export = call.app.exports.get(call.parts["file"])
    if export is None or not export.fetchable(call.now):
        return NOT_THERE
    return Answer(200, export.content, ((b"content-type", b"application/gzip"),))
