from dataclasses import replace

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from ledger_world import CONNECTION, KEY, PROJECT

from cornicen.errors import BadSetting, Damaged
from cornicen.state.opening import open_state
from cornicen.state.tables import service_account

SECRET = "a-service-account-secret"


def _bytes(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.glob("state.db*")))


def test_no_secret_can_be_read_in_the_files(lite, tmp_path):
    state = lite
    state.projects.add_account(PROJECT.id, "importer", SECRET)
    state.connections.put(CONNECTION)
    changed = replace(CONNECTION, secrets={"api_key": "another-secret-key"})
    state.connections.put(changed)
    everything = _bytes(tmp_path)
    assert b"importer" in everything, "the files read are not those written"
    for secret in (SECRET, "another-secret-key", *CONNECTION.secrets.values()):
        assert secret.encode() not in everything
        assert secret[:12].encode("utf-16-le") not in everything
    state.close()
    assert b"another-secret-key" not in _bytes(tmp_path)


def test_the_reader_of_a_connection_finds_its_secrets_again(state):
    assert state.connections.get(PROJECT.id, "app") == CONNECTION
    assert "very-secret" not in repr(state.connections.get(PROJECT.id, "app"))


def test_a_key_that_is_put_before_the_old_one_writes_and_the_old_one_still_reads(state, where):
    new = Fernet.generate_key()
    rotated = open_state(where, new + b"\n" + KEY + b"\n")
    assert rotated.connections.get(PROJECT.id, "app") == CONNECTION
    rotated.connections.put(CONNECTION)
    rotated.close()
    alone = open_state(where, new)
    assert alone.connections.get(PROJECT.id, "app") == CONNECTION
    alone.close()


def test_another_key_reads_no_secret_and_says_so(state, where):
    other = open_state(where, Fernet.generate_key())
    with pytest.raises(Damaged, match="cannot be read") as caught:
        other.connections.get(PROJECT.id, "app")
    assert "secret.key" in caught.value.fix
    other.close()


@pytest.mark.parametrize("key", [b"", b"no key", b"\xff\xfe"])
def test_a_key_that_is_none_is_refused(tmp_path, key):
    with pytest.raises(BadSetting):
        open_state(tmp_path / "state.db", key)


def test_only_the_right_secret_of_an_account_is_let_in(state):
    state.projects.add_account(PROJECT.id, "importer", SECRET)
    assert state.projects.by_account("importer", SECRET) == PROJECT
    assert state.projects.by_account("importer", SECRET + "x") is None
    assert state.projects.by_account("importer", "") is None
    assert state.projects.by_account("nobody", SECRET) is None
    with state.database.read() as db:
        kept = db.scalar(sa.select(service_account.c.digest))
    assert len(kept) == 32
