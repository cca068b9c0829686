"""Just enough of a OneSignal app to hold `members_out` and `check` to it: in this process, written from its documentation."""

import json
import re
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

from cornicen.integrations.onesignal import MANIFEST
from cornicen.wire.http import Reply

APP, KEY = "65c10914-0000-4000-8000-00000000abcd", "os_v2_app_standin"


class OneSignalApp:
    """One app. Tags are visible at once; limits are those it is made with."""

    def __init__(self, *, segments=True, most_segments=20, most_tags=100, taken=(), own_ids=True, **settings):
        self.destination = MANIFEST.destination({"app_id": APP, **settings}, {"api_key": KEY})
        self.tags = {}  # external id -> tags
        self.segments = {f"taken-{n}": {"name": name, "filters": []} for n, name in enumerate(taken)}
        self.log = []
        self._has_segments, self._most_segments, self._most_tags, self._own_ids = segments, most_segments, most_tags, own_ids

    @asynccontextmanager
    async def sender(self):
        yield self

    async def send(self, request, *, timeout):
        return self.answer(request)

    def know(self, identifiers):
        for identifier in identifiers:
            self.tags.setdefault(identifier, {})

    def members(self, sync):
        return {user for user, tags in self.tags.items() if f"cornicen_{sync}" in tags}

    def contained(self, sync):
        wanted = [{"field": "tag", "key": f"cornicen_{sync}", "relation": "exists"}]
        return any(segment["filters"] == wanted for segment in self.segments.values())

    def answer(self, request):
        parts = urlsplit(request.url)
        self.log.append((request.method, parts.path))
        if request.headers.get("Authorization") != f"Key {KEY}":
            return _reply(
                403, "Access denied.  Please include an 'Authorization: ...' header with a valid API key (https://x.y)."
            )
        found = re.fullmatch(rf"/apps/{APP}(?:/(segments|users/by/external_id)(?:/([^/]*))?)?", parts.path)
        if found is None:
            return _reply(404, "Not Found")
        kind, what = found.group(1), unquote(found.group(2) or "")
        body = json.loads(request.body) if request.body else {}
        if kind is None:
            return _json(200, {"id": APP, "name": "My app"})
        if kind == "segments":
            return self._segments(request.method, what, body)
        return self._users(request.method, what, body)

    def _segments(self, method, id_, body):
        if not self._has_segments:
            return _reply(403, "This API is not available for applications on your plan.")
        if method == "POST":
            return self._create(body)
        if id_ not in self.segments:
            return _reply(404, "segment not found", success=False)
        if method == "DELETE":
            del self.segments[id_]
            return _json(200, {"success": True})
        if method == "PATCH":
            if any(s["name"] == body["name"] for other, s in self.segments.items() if other != id_):
                return _reply(400, "Segment name is already taken.", success=False)
            self.segments[id_] |= body
            return _json(200, {"success": True, "id": id_})
        return _json(200, {"subscriber_count": 0, "payload": {"id": id_, **self.segments[id_]}})

    def _create(self, body):
        if "id" in body and not self._own_ids:
            return _reply(400, "id is not a permitted parameter", success=False)
        if body.get("id") in self.segments:
            return _reply(409, "Segment with the given id already exists.", success=False)
        if any(segment["name"] == body["name"] for segment in self.segments.values()):
            return _reply(400, "Segment name is already taken.", success=False)
        if len(self.segments) >= self._most_segments:
            return _reply(422, "You have reached the maximum number of segments allowed for your plan.")
        id_ = body.pop("id", f"given-{len(self.segments)}")
        self.segments[id_] = body
        return _json(201, {"success": True, "id": id_})

    def _users(self, method, user, body):
        if user not in self.tags:
            return _json(404, {"errors": [{"code": "user-0", "title": "User not found"}]})
        if method == "GET":
            return _json(200, {"properties": {"tags": self.tags[user]}, "identity": {"external_id": user}})
        tags = self.tags[user] | body["properties"]["tags"]
        tags = {key: value for key, value in tags.items() if value != ""}
        if len(tags) > self._most_tags:
            title = "The tags for this user exceed the limit for this organization's plan."
            return _json(409, {"errors": [{"code": "entitlements-tag-limit", "title": title}]})
        self.tags[user] = tags
        return _json(202, {"properties": body["properties"]})


def _json(status, document):
    return Reply(status, {"content-type": "application/json"}, json.dumps(document).encode())


def _reply(status, *errors, **more):
    return _json(status, {"errors": list(errors), **more})
