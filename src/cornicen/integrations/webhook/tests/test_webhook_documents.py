"""What the page says is sent, taken and set is what the code does; and settings hold as the manifest declares them."""

import json
import re
from pathlib import Path

import pytest

from cornicen.delivery.shapes import Change, Parcel
from cornicen.flows.projects.settings import check
from cornicen.integrations.webhook import MANIFEST, destination, limits

PAGE = (Path(__file__).parents[5] / "docs" / "webhook.md").read_text()
URL = "https://crm.example.com/cohorts"


def shape(document):
    """A document with its texts left out."""
    match document:
        case dict():
            return {key: shape(value) for key, value in document.items()}
        case list():
            return [shape(value) for value in document]
        case str():
            return ""
    return document


def test_the_request_on_the_page_is_a_request():
    sample = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    people = [member["mixpanel_distinct_id"] for member in sample["parameters"]["members"]]
    changes = tuple(Change("5f0c" * 8, number, one, want=True, entered=1) for number, one in enumerate(people))
    request = destination({"url": URL}, {}).deliver(Parcel(changes, 1, "Power users"))
    assert shape(json.loads(request.body)) == shape(sample)


def test_the_page_has_every_setting_and_its_bounds():
    table = PAGE.partition("| setting |")[2].partition("## ")[0]
    assert set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if line.count("|") > 2))) == {
        setting.name for setting in MANIFEST.settings
    }
    assert f"1 to {limits.PAGE_MOST:,}" in table
    assert f"default {limits.TIMEOUT_DEFAULT:g}" in table
    assert f"default {limits.RATE_DEFAULT}" in table


@pytest.mark.parametrize(
    ("given", "faults", "secrets"),
    [
        ({}, [], {}),
        ({"password": "env:HOOK"}, [], {"password": "s3cret"}),
        ({"password": "s3cret"}, ["password"], {}),
        ({"username": ""}, ["username"], {}),
    ],
)
def test_credentials_may_be_left_out_and_are_references_where_they_are_given(tmp_path, given, faults, secrets):
    checked = check(MANIFEST, {"url": URL, **given}, tmp_path, {"HOOK": "s3cret"})
    assert [fault.path for fault in checked.faults] == faults
    assert checked.secrets == secrets
    assert MANIFEST.destination(checked.settings, checked.secrets).account.url == URL
