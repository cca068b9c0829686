"""``GET /apps/{app}``: the cheapest way to try a key."""

from __future__ import annotations

from cornicen.integrations.onesignal.simulator.answers import Answer, answer
from cornicen.integrations.onesignal.simulator.api.call import Call
from cornicen.integrations.onesignal.simulator.state.segments import written_time


def view_app(call: Call) -> Answer:
    """The application; ``view=config`` spares the server the counting."""
    app = call.app
    shown: dict[str, object] = {
        "id": app.id,
        "name": app.name,
        "organization_id": app.organization_id,
        "created_at": written_time(app.created_at),
        "updated_at": written_time(app.created_at),
        "apns_env": "production",
        "chrome_web_origin": None,
        "site_name": app.name,
        "channels": {"push": {"enabled": True, "platforms": ["apns", "gcm"]}},
    }
    if call.asked.parameter("view") != "config":
        subscriptions = app.subscriptions.values()
        shown |= {"players": len(subscriptions), "messageable_players": sum(each.subscribed for each in subscriptions)}
    return answer(200, shown)
