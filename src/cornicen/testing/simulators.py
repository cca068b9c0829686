"""A simulated vendor for each test: ``pytest_plugins = ["cornicen.testing.simulators"]`` in a project's ``conftest.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cornicen.integrations.onesignal.simulator import Knobs, Running, running

MARKER = "onesignal_simulator"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known.

    Twice: ``pytest --markers`` lists it twice, and nothing else differs.
    """
    config.addinivalue_line("markers", f"{MARKER}(tier, clock, knobs, seed, …): how this test's simulated OneSignal behaves")


@pytest.fixture
def onesignal_simulator(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A server that behaves like OneSignal, for one test, on a free port of this machine.

    The marker of the same name says how it behaves, by name: whatever `running` takes, with ``knobs`` as a dictionary. Of
    several markers the one nearest to the test decides about each option.

    Yields:
        Its address and credentials, and its control routes as methods.

    Raises:
        TypeError: The marker has an option that is none, or one without a name.
        ValueError: An option has no such value: an unknown tier, an unknown knob, a number out of range.
    """
    wanted: dict[str, Any] = {}
    for marker in request.node.iter_markers(MARKER):
        if marker.args:
            raise TypeError(f"the marker {MARKER} takes its options by name, not {marker.args}")
        wanted = {**marker.kwargs, **wanted}
    knobs = msgspec.convert(wanted.pop("knobs", {}), Knobs)
    with running(knobs=knobs, **wanted) as server:
        yield server
