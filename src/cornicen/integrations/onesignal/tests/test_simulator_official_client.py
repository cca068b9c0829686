"""The vendor's own client for Python, unmodified, against the simulator over a socket."""

from __future__ import annotations

import csv
import gzip
import io
import json
import urllib.request
import uuid

import onesignal
import pytest
from onesignal.api.default_api import DefaultApi
from onesignal.models import (
    ExportSubscriptionsRequestBody,
    Filter,
    IdentityObject,
    Operator,
    PropertiesObject,
    Segment,
    Subscription,
    SubscriptionBody,
    TransferSubscriptionRequestBody,
    UpdateSegmentRequest,
    UpdateUserRequest,
    User,
    UserIdentityBody,
)

from cornicen.integrations.onesignal.simulator import running

NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def shared():
    with running(clock=NOW, tier="professional", api_key="app-key", organization_key="org-key") as vendor:
        yield vendor


@pytest.fixture
def vendor(shared):
    shared.advance(100)  # past every rate limit of the test before
    return shared


@pytest.fixture
def client(vendor):
    configuration = onesignal.Configuration(host=vendor.address, rest_api_key="app-key", organization_api_key="org-key")
    with onesignal.ApiClient(configuration) as connection:
        yield DefaultApi(connection)


@pytest.fixture
def name(client, vendor):
    """A user of the test's own, with a tag and an e-mail address."""
    made = f"user-{uuid.uuid4()}"
    client.create_user(
        vendor.app_id,
        User(
            identity=IdentityObject(external_id=made),
            properties=PropertiesObject(tags={"plan": "pro"}, language="en"),
            subscriptions=[Subscription(type="Email", token=f"{made}@example.com")],
        ),
    )
    vendor.advance(1)
    return made


@pytest.fixture
def segment(client, vendor):
    """A segment of the test's own: its id and its tag's key."""
    key = f"cohort_{uuid.uuid4().hex}"
    wanted = Segment(name=key, filters=[Filter(field="tag", key=key, relation="exists")], id=str(uuid.uuid4()))
    made = client.create_segment(vendor.app_id, segment=wanted)
    assert made.success is True
    assert made.id == wanted.id
    yield made.id, key
    vendor.advance(1)
    assert client.delete_segment(vendor.app_id, made.id).success is True


def tag(client, vendor, name, **tags):
    reply = client.update_user(vendor.app_id, "external_id", name, UpdateUserRequest(properties=PropertiesObject(tags=tags)))
    vendor.advance(1)
    return reply


def test_it_views_the_app_with_the_organization_key(client, vendor):
    app = client.get_app(vendor.app_id)
    assert app.id == vendor.app_id
    assert app.players >= app.messageable_players >= 0


def test_it_creates_views_updates_and_deletes_a_user(client, vendor, name):
    user = client.get_user(vendor.app_id, "external_id", name)
    assert user.properties.tags == {"plan": "pro"}
    assert user.properties.language == "en"
    assert user.subscriptions[0].type == "Email"
    assert tag(client, vendor, name, plan="", cohort="1").properties.tags == {"cohort": "1"}
    assert client.get_user(vendor.app_id, "external_id", name).properties.tags == {"cohort": "1"}
    client.delete_user(vendor.app_id, "external_id", name)
    with pytest.raises(onesignal.ApiException) as raised:
        client.get_user(vendor.app_id, "external_id", name)
    assert raised.value.status == 404


def test_it_reads_the_words_of_an_error(client, vendor, name):
    with pytest.raises(onesignal.ApiException) as raised:
        tag(client, vendor, name, **{f"k{n}": "1" for n in range(100)})
    assert raised.value.status == 409
    assert raised.value.error_messages == ["The tags for this user exceed the limit for this organization's plan."]


def test_it_meets_the_rate_limit_with_its_header(client, vendor, name):
    properties = UpdateUserRequest(properties=PropertiesObject(tags={"a": "1"}))
    client.update_user(vendor.app_id, "external_id", name, properties)
    with pytest.raises(onesignal.ApiException) as raised:
        client.update_user(vendor.app_id, "external_id", name, properties)
    assert raised.value.status == 429
    assert raised.value.headers["retry-after"] == "1"


def test_it_creates_lists_views_updates_and_deletes_a_segment(client, vendor, segment, name):
    made, key = segment
    tag(client, vendor, name, **{key: "1"})
    assert client.get_segment(vendor.app_id, made).subscriber_count == 1
    with pytest.raises(onesignal.ApiException) as raised:
        client.create_segment(
            vendor.app_id, segment=Segment(name="another", filters=[Filter(field="tag", key="x", relation="exists")], id=made)
        )
    assert raised.value.status == 409
    filters = [
        Filter(field="tag", key=key, relation="=", value="2"),
        Operator(operator="OR"),
        Filter(field="last_session", relation="<", hours_ago="1"),
        Filter(field="tag", key="nobody has it", relation="exists"),
    ]
    updated = client.update_segment(
        vendor.app_id, made, update_segment_request=UpdateSegmentRequest(name=key, description="d", filters=filters)
    )
    assert updated.success is True
    listed = client.get_segments(vendor.app_id, offset=0, limit=300)
    assert [each.name for each in listed.segments if each.id == made] == [key]
    assert client.get_segment(vendor.app_id, made).subscriber_count == 0
    tag(client, vendor, name, **{key: "2"})
    assert client.get_segment(vendor.app_id, made).subscriber_count == 1


def test_it_asks_for_a_segments_filters_but_cannot_read_them_itself(client, vendor, segment):
    # The client sends "True" and then finds each filter ambiguous; what came over the wire is whole.
    raw = client.get_segment(vendor.app_id, segment[0], include_segment_detail=True, _preload_content=False)
    payload = json.loads(raw.data)["payload"]
    assert payload["filters"] == [{"field": "tag", "key": segment[1], "relation": "exists"}]
    with pytest.raises(onesignal.ApiValueError, match="Multiple oneOf schemas"):
        client.get_segment(vendor.app_id, segment[0], include_segment_detail=True)


def test_it_writes_views_and_deletes_aliases(client, vendor, name):
    label = f"crm-{name}"
    client.create_alias(vendor.app_id, "external_id", name, UserIdentityBody(identity=IdentityObject(crm=label)))
    vendor.advance(1)
    found = client.get_aliases(vendor.app_id, "crm", label).identity
    assert found.external_id == name
    left = client.delete_alias(vendor.app_id, "external_id", name, "crm").identity
    assert "crm" not in left.to_dict()


def test_it_adds_updates_moves_and_deletes_a_subscription(client, vendor, name):
    body = SubscriptionBody(subscription=Subscription(type="AndroidPush", token=f"token-{name}"))
    made = client.create_subscription(vendor.app_id, "external_id", name, body).subscription
    assert (made.type, made.enabled, made.notification_types) == ("AndroidPush", True, 1)
    vendor.advance(1)
    client.update_subscription(vendor.app_id, made.id, SubscriptionBody(subscription=Subscription(enabled=False)))
    vendor.advance(1)
    found = {each.id: each for each in client.get_user(vendor.app_id, "external_id", name).subscriptions}
    assert found[made.id].notification_types == -31
    by_token = SubscriptionBody(subscription=Subscription(enabled=True))
    client.update_subscription_by_token(vendor.app_id, "AndroidPush", f"token-{name}", by_token)
    vendor.advance(1)
    other = client.create_user(vendor.app_id, User(identity=IdentityObject(external_id=f"other-{name}")))
    body = TransferSubscriptionRequestBody(identity={"external_id": f"other-{name}"})
    moved = client.transfer_subscription(vendor.app_id, made.id, body)
    assert moved.identity.onesignal_id == other.identity.onesignal_id
    assert client.get_aliases_by_subscription(vendor.app_id, made.id).identity.external_id == f"other-{name}"
    vendor.advance(1)
    alias = UserIdentityBody(identity=IdentityObject(crm=f"crm-{name}"))
    assert client.create_alias_by_subscription(vendor.app_id, made.id, alias).identity.crm == f"crm-{name}"
    vendor.advance(1)
    client.delete_subscription(vendor.app_id, made.id)
    assert client.get_user(vendor.app_id, "external_id", f"other-{name}").subscriptions == []


def test_it_exports_subscriptions_and_the_file_holds_their_tags(client, vendor, name):
    body = ExportSubscriptionsRequestBody(extra_fields=["external_user_id", "onesignal_id"])
    address = client.export_subscriptions(vendor.app_id, export_subscriptions_request_body=body).csv_file_url
    vendor.advance(1)
    with urllib.request.urlopen(address, timeout=30) as answer:
        text = gzip.decompress(answer.read()).decode()
    [row] = [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["external_user_id"] == name]
    assert json.loads(row["tags"]) == {"plan": "pro"}


def test_the_free_tier_refuses_it_the_segments(client, vendor):
    vendor.tier("free")
    try:
        with pytest.raises(onesignal.ApiException) as raised:
            client.get_segments(vendor.app_id)
    finally:
        vendor.tier("professional")
    assert raised.value.status == 403
    assert raised.value.error_messages == ["This API is not available for applications on your plan."]
