"""What was learnt about recipients, in the plain state and in the real one."""

import pyarrow as pa
import pytest
from cryptography.fernet import Fernet
from pyroaring import BitMap

from cornicen.errors import NotFound
from cornicen.flows.records import Connection, Place, Project
from cornicen.state.opening import open_state
from cornicen.testing.memory import MemoryState


@pytest.fixture(params=["memory", "sqlite"])
def places_of(request, tmp_path):
    state = MemoryState() if request.param == "memory" else open_state(tmp_path / "state.db", Fernet.generate_key())
    state.projects.add(Project("p", "p", "t"))
    for id_ in ("c", "d"):
        state.connections.put(Connection(id_, "p", id_, "onesignal"))
    yield state
    state.close()


def test_the_last_that_was_learnt_is_kept_for_each_recipient_of_each_connection(places_of):
    places = places_of.places
    assert places.get("c", "x") is None
    places.put("c", "x", Place("", 1, created=True))
    places.put("c", "x", Place("u", 2))
    places.put("d", "x", Place("", 3))
    assert (places.get("c", "x"), places.get("d", "x")) == (Place("u", 2), Place("", 3))
    for _ in range(2):
        places.put("c", "x", None)
        assert places.get("c", "x") is None
    assert places.get("d", "x") == Place("", 3)


def test_those_are_found_whose_user_is_known(places_of):
    numbers = places_of.recipients.number("c", pa.array(["a", "b", "z"])).to_pylist()
    places_of.places.put("c", "a", Place("u", 1))
    places_of.places.put("c", "b", Place("", 1))
    assert places_of.places.found("c") == BitMap([numbers[0]])
    assert places_of.places.found("d") == BitMap()


def test_what_was_learnt_goes_with_its_connection(tmp_path):
    state = open_state(tmp_path / "state.db", Fernet.generate_key())
    state.projects.add(Project("p", "p", "t"))
    state.connections.put(Connection("c", "p", "c", "onesignal"))
    state.places.put("c", "x", Place("u", 1))
    state.connections.remove("c")
    assert state.places.get("c", "x") is None
    with pytest.raises(NotFound):
        state.places.put("c", "x", Place("u", 1))
    state.close()
