"""From what a person writes to a query, all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cornicen.cohorts.context import Context
from cornicen.cohorts.document import Documents
from cornicen.cohorts.given import GivenSource, Recipients
from cornicen.cohorts.operator import Operator
from cornicen.cohorts.query import Query
from cornicen.errors import BadDefinition, BadSetting

__all__ = ["Context", "Definition", "GivenSource", "parse"]


@dataclass(frozen=True)
class Definition:
    """A cohort definition, understood.

    Args:
        slug: Its name for files and people.
        name: What people read.
        query: None when `recipients` stands for the whole cohort.
        given: The lists it reads, by key.
        recipients: Values that are a destination's users already (``ids`` with ``as: external_id``); it then stands alone.
        nested: Slugs of the cohorts it reads, directly or not, sorted.
    """

    slug: str
    name: str
    query: Query | None
    given: Mapping[str, GivenSource] = field(default_factory=dict)
    recipients: GivenSource | None = None
    nested: tuple[str, ...] = ()


def parse(document: object, operators: Mapping[str, Operator], context: Context) -> Definition:
    """Understand a definition.

    Definitions that say the same lower to equal queries: the order of keys, of names, of values in a list and of conditions
    does not matter, nor does a window's unit or a default that is written out. The order of clauses is kept.

    Args:
        document: As YAML or JSON gave it; dates that a YAML reader made count as the text they were.
        operators: The words of the language, by word (`cornicen.cohorts.operators.found`).
        context: The project around it.

    Raises:
        BadDefinition: All its faults at once, those of nested cohorts included (once each). A path such as
            ``who[0].where.amount`` says where; ``who[0].in_cohort → vip.who[1].did`` is in a nested one.
        BadSetting: The context's zone is none.
    """
    try:
        zone = ZoneInfo(context.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadSetting(f"{context.zone!r} is no time zone.", "Use an IANA name, such as Europe/Berlin.") from error
    documents = Documents(operators, context, zone)
    found = documents.definition(document)
    faults = documents.reading.faults
    if found is None or faults:
        slug = document.get("cohort") if isinstance(document, dict) else None
        said = f"The cohort definition {slug}" if isinstance(slug, str) else "The cohort definition"
        raise BadDefinition(f"{said} has {len(faults)} fault{'' if len(faults) == 1 else 's'}.", faults)
    recipients = found.lowered.source if isinstance(found.lowered, Recipients) else None
    return Definition(
        slug=found.slug,
        name=found.name,
        query=None if isinstance(found.lowered, Recipients) else found.lowered,
        given=dict(sorted(documents.reading.given.items())),
        recipients=recipients,
        nested=tuple(sorted(documents.nested)),
    )
