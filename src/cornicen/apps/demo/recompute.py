"""Who belongs in the demo's segments, worked out again by somebody else: a script that imports nothing of Cornicen.

Run as its own process: ``python -I recompute.py --data DIR --as-of INSTANT --export SLUG=FILE.csv.gz …``. It reads the raw
Parquet files (pyarrow opens them, everything else is plain Python), works out each cohort and why each member is or is not
exportable, and compares that with the CSV exports of the segments. One JSON document on standard output.

What it has in common with the demo is written here a second time, on purpose.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DAY = 86_400
SHOWN = 10
"""Differing ids that are printed for each cohort."""


@dataclass
class Household:
    """What one household did before the instant.

    Args:
        baskets: Of each purchase: seconds since 1970 and the amount.
        redemptions: Of each redeemed coupon: seconds since 1970.
        children: As its demographics say; empty: it has none.
        described: Whether it has demographics.
        mailed: Whether it was mailed.
    """

    baskets: list[tuple[int, Decimal]] = field(default_factory=list)
    redemptions: list[int] = field(default_factory=list)
    children: str = ""
    described: bool = False
    mailed: bool = False


def column(path: Path, name: str) -> list[Any]:
    """One column as Python values; timestamps as whole seconds since 1970, read as UTC."""
    with pq.ParquetFile(path) as file:
        values = file.read(columns=[name])[name]
    if str(values.type).startswith("timestamp"):
        counts: list[Any] = values.cast(pa.timestamp("ns")).cast(pa.int64()).to_pylist()
        return [nanoseconds // 1_000_000_000 for nanoseconds in counts]
    return values.to_pylist()


def read(folder: Path, as_of: int) -> dict[int, Household]:
    """All that happened before ``as_of`` (seconds since 1970), by household number."""
    households: dict[int, Household] = defaultdict(Household)
    for (household, _, time), amount in baskets(folder / "transactions.parquet").items():
        if time < as_of:
            households[household].baskets.append((time, amount))
    redeemed = folder / "coupon_redemptions.parquet"
    for household, time in zip(column(redeemed, "household_id"), column(redeemed, "redemption_date"), strict=True):
        if time < as_of:
            households[household].redemptions.append(time)
    described = folder / "demographics.parquet"
    for household, children in zip(column(described, "household_id"), column(described, "kids_count"), strict=True):
        households[household].described, households[household].children = True, children
    starts_file, sent = folder / "campaign_descriptions.parquet", folder / "campaigns.parquet"
    starts = dict(zip(column(starts_file, "campaign_id"), column(starts_file, "start_date"), strict=True))
    for household, campaign in zip(column(sent, "household_id"), column(sent, "campaign_id"), strict=True):
        if starts[campaign] < as_of:
            households[household].mailed = True
    return households


def baskets(path: Path) -> dict[tuple[int, int, int], Decimal]:
    """The amount of each purchase, exactly, by (household, basket, seconds since 1970)."""
    amounts: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    exact: dict[float, Decimal] = {}
    names = ("household_id", "basket_id", "transaction_timestamp", "sales_value")
    for household, basket, time, value in zip(*(column(path, name) for name in names), strict=True):
        if value not in exact:
            exact[value] = Decimal(repr(value)).quantize(Decimal("0.01"))
        amounts[household, basket, time] += exact[value]
    return amounts


def spent(household: Household, since: int) -> Decimal:
    """What a household paid from ``since`` on."""
    return sum((amount for time, amount in household.baskets if time >= since), Decimal(0))


def bought(household: Household, since: int) -> int:
    """How often a household bought from ``since`` on."""
    return sum(time >= since for time, _ in household.baskets)


def is_big(household: Household, as_of: int) -> bool:
    """Paid 800 or more within 90 days; somebody without a purchase there paid nothing."""
    return bought(household, as_of - 90 * DAY) > 0 and spent(household, as_of - 90 * DAY) >= Decimal(800)


COHORTS: dict[str, Callable[[Household, int], bool]] = {
    "big-spenders": is_big,
    "lapsed": lambda one, as_of: bool(one.baskets) and bought(one, as_of - 45 * DAY) == 0,
    "coupon-lovers": lambda one, as_of: sum(time >= as_of - 180 * DAY for time in one.redemptions) >= 2,
    "going-quiet": lambda one, as_of: is_big(one, as_of) and bought(one, as_of - 7 * DAY) == 0,
    "regular-families": lambda one, as_of: bought(one, as_of - 30 * DAY) >= 4 and one.children in {"1", "2", "3+"},
}


def owner(household: int) -> int:
    """The household whose number is in the id at OneSignal: 1900 and 1901 share one."""
    return 1900 if household == 1901 else household


def judge(members: Iterable[int], households: dict[int, Household]) -> tuple[dict[str, int], set[str]]:
    """Why members are not exportable, and the ids that have to be in the segment."""
    reasons = dict.fromkeys(("no_profile", "no_id", "shared", "unknown", "refused"), 0)
    owners: set[int] = set()
    for member in members:
        household = households[member]
        if not household.mailed:
            reasons["no_id" if household.described else "no_profile"] += 1
        elif owner(member) in owners:
            reasons["shared"] += 1
        else:
            owners.add(owner(member))
    unknown = {one for one in owners if one % 17 == 3}
    refused = {one for one in owners - unknown if one % 19 == 5}
    reasons["unknown"], reasons["refused"] = len(unknown), len(refused)
    return reasons, {f"shopper-{one}" for one in owners - unknown - refused}


def exported(path: Path) -> set[str]:
    """The external ids in a CSV export of a segment; a user with several subscriptions has several rows."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return {row["external_user_id"] for row in csv.DictReader(file)}


def main() -> None:
    """Compare, and print what was found."""
    parser = argparse.ArgumentParser(description="Works out the demo's segments from the raw data, and compares.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with the Parquet files")
    parser.add_argument("--as-of", required=True, help="the instant, ISO-8601, UTC")
    parser.add_argument("--export", action="append", default=[], help="SLUG=FILE.csv.gz: a segment's CSV export; repeat")
    given = parser.parse_args()
    moment = datetime.fromisoformat(given.as_of)
    as_of = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    exports = dict(one.split("=", 1) for one in given.export)
    households = read(given.data, as_of)
    found = []
    for slug, belongs in COHORTS.items():
        members = [number for number, household in households.items() if belongs(household, as_of)]
        reasons, wanted = judge(members, households)
        entry = {"slug": slug, "size": len(members), "exportable": len(wanted), "not_exported": reasons}
        if slug in exports:
            there = exported(Path(exports[slug]))
            entry |= {"in_segment": len(there), "differ": len(wanted ^ there)}
            entry |= {"missing": sorted(wanted - there)[:SHOWN], "surplus": sorted(there - wanted)[:SHOWN]}
        found.append(entry)
    sys.stdout.write(json.dumps({"as_of": given.as_of, "cohorts": found}) + "\n")


if __name__ == "__main__":
    main()
