"""What flows need from the floors above them, as Protocols. `apps.build` alone hands them adapters."""

from __future__ import annotations

from cornicen.flows.ports.deciding import (
    Cohorts,
    Connections,
    Decision,
    Facts,
    Ledger,
    Projects,
    Recipients,
    Runs,
    Settled,
    State,
    Syncs,
)
from cornicen.flows.ports.events import Asked, Engine, Engines, GivenReader, Identified, Loaded, Numbering, Spool, Warehouse
from cornicen.flows.ports.sending import Clock, Destination, Sender

__all__ = [
    "Asked",
    "Clock",
    "Cohorts",
    "Connections",
    "Decision",
    "Destination",
    "Engine",
    "Engines",
    "Facts",
    "GivenReader",
    "Identified",
    "Ledger",
    "Loaded",
    "Numbering",
    "Projects",
    "Recipients",
    "Runs",
    "Sender",
    "Settled",
    "Spool",
    "State",
    "Syncs",
    "Warehouse",
]
