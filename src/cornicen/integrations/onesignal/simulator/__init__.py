"""A server that behaves like OneSignal, as far as cohorts need it.

It shares no line with the client beside it: every number and every word here was written again from the vendor's pages, so that
the two cannot agree on a mistake. ``docs/simulator.md`` says what it knows and what it guesses.
"""

from cornicen.integrations.onesignal.simulator.clock import Clock
from cornicen.integrations.onesignal.simulator.direct import Direct
from cornicen.integrations.onesignal.simulator.knobs import Knobs
from cornicen.integrations.onesignal.simulator.running import Running, process, running
from cornicen.integrations.onesignal.simulator.server import serve
from cornicen.integrations.onesignal.simulator.simulator import Simulator

__all__ = ["Clock", "Direct", "Knobs", "Running", "Simulator", "process", "running", "serve"]
