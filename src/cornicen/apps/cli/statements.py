"""The query that a cohort becomes, to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cornicen.errors import BadInput

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House
    from cornicen.cohorts.query import Query
    from cornicen.flows.records import Cohort
    from cornicen.sql.tables import Tables


def statement_of(house: House, cohort: Cohort, as_of: int) -> str:
    """A stored cohort's query in DuckDB's dialect, on several lines; times are microseconds since 1970.

    Raises:
        BadInput: It is a list of a destination's users, of which no query is made.
        BadDefinition: It has become wrong since it was stored.
    """
    from cornicen.apps import build
    from cornicen.flows.cohorts.understand import understand
    from cornicen.sql import canonical, printing

    definition = understand(house.state, house.project, build.operators(), cohort)
    if definition.query is None:
        raise BadInput(f"{cohort.slug} is a list of a destination's users: no query is asked.", "Show it without --sql.")
    return printing.printed(canonical.persons(definition.query, _tables(definition.query), as_of), pretty=True)


def _tables(query: Query) -> Tables:
    """Plain names for relations and columns: the keeper's own differ, the statement does not."""
    from cornicen.cohorts.query import needs
    from cornicen.sql.tables import Columns, Tables

    reads = needs(query)
    events, profile = ({name: Columns(name) for name in sorted(names)} for names in (reads.events, reads.profile))
    return Tables("events", "profiles", "persons", "given", event_properties=events, profile_properties=profile)
