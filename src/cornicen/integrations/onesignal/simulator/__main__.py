"""``python -m cornicen.integrations.onesignal.simulator``: a simulator as a process of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cornicen.integrations.onesignal.simulator.api.call import UNREADABLE
from cornicen.integrations.onesignal.simulator.clock import Clock
from cornicen.integrations.onesignal.simulator.knobs import Knobs
from cornicen.integrations.onesignal.simulator.server import serve
from cornicen.integrations.onesignal.simulator.simulator import Simulator
from cornicen.integrations.onesignal.simulator.tiers import TIERS
from cornicen.integrations.onesignal.simulator.traffic.faults import Faults, Plan


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="onesignal-simulator", description="A server that behaves like OneSignal.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--tier", choices=list(TIERS), default="growth")
    parser.add_argument("--app-id", help="default: one that follows from the seed")
    parser.add_argument("--api-key", help="default: one that follows from the app id")
    parser.add_argument("--org-key", default="os_v2_org_simulated")
    parser.add_argument("--seed", type=int, default=0, help="equal seeds give equal identifiers")
    parser.add_argument("--clock", type=float, metavar="UNIX_SECONDS", help="a virtual clock that stands until it is advanced")
    parser.add_argument(
        "--knob", action="append", default=[], metavar="NAME=VALUE", help=f"one of {', '.join(Knobs.__struct_fields__)}"
    )
    parser.add_argument("--faults", type=Path, metavar="FILE", help="a plan of faults in JSON that begins at once")
    return parser


def _prepare(simulator: Simulator, knobs: Sequence[str], faults: Path | None) -> None:
    """Turn the knobs and begin the plan.

    Raises:
        ValueError: One of them does not fit; it says which.
    """
    try:
        pairs = dict(each.split("=", 1) for each in knobs)
        simulator.turn({name: msgspec.json.decode(value) for name, value in pairs.items()})
    except ValueError as fault:
        raise ValueError(f"--knob: {fault}") from fault
    if faults is None:
        return
    try:
        plan = msgspec.json.decode(faults.read_bytes(), type=Plan)
    except (OSError, *UNREADABLE) as fault:
        raise ValueError(f"--faults: {fault}") from fault
    simulator.faults = Faults(plan, simulator.clock.now())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a simulator until it is told to stop.

    Returns:
        0 after a clean stop, 1 if the address cannot be had, 2 for arguments that do not fit.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    simulator = Simulator(Clock(given.clock), Knobs(), given.org_key, given.seed)
    try:
        _prepare(simulator, given.knob, given.faults)
    except ValueError as fault:
        parser.error(str(fault))
    simulator.add_app(given.app_id, given.api_key, given.tier)
    try:
        serve(simulator, host=given.host, port=given.port)
    except OSError as fault:
        sys.stderr.write(f"cannot listen on {given.host}:{given.port}: {fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
