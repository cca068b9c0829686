"""Amplitude's export as events for the door."""

import gzip
import io
import json
import zipfile
from contextlib import ExitStack

import pytest

from cornicen.apps.cli.amplitude_format import FIELDS, KEYS, TIMES, Export, members, rows
from cornicen.apps.cli.formats import BrokenOff, Place, Rejected, Taken
from cornicen.errors import BadFile

COLUMNS = (
    "$insert_id $insert_key $schema adid amplitude_attribution_ids amplitude_event_type amplitude_id app city "
    "client_event_time client_upload_time country data data_type device_brand device_carrier device_family "
    "device_id device_manufacturer device_model device_type dma event_id event_properties event_time event_type "
    "global_user_properties group_properties groups idfa ip_address is_attribution_event language library "
    "location_lat location_lng os_name os_version partner_id paying plan platform processed_time region sample_rate "
    "server_received_time server_upload_time session_id source_id start_version user_creation_time user_id "
    "user_properties uuid version_name "
)


def row(**said):
    """A row as Amplitude exports it: every column, most of them null."""
    empty = {key: {} for key in ("data", "groups", "group_properties", "plan", "event_properties", "user_properties")}
    usual = {
        "$insert_id": "8f0c-1",
        "amplitude_id": 77,
        "client_event_time": "2026-05-04 09:59:00.000000",
        "client_upload_time": "2026-05-04 10:00:01.000000",
        "device_id": "d-77aa",
        "event_time": "2026-05-04 10:00:00.250999",
        "event_type": "order_paid",
        "server_upload_time": "2026-05-04 10:00:02.000000",
        "session_id": -1,
        "uuid": "6f1c1b8e-0001",
    }
    return {**dict.fromkeys(COLUMNS.split()), **empty, **usual, **said}


def line(**said):
    return json.dumps(row(**said))


def events(*texts, after=0):
    file = io.BytesIO("\n".join(texts).encode())
    return list(rows(file, 0, after))


def event(**said):
    [found] = events(line(**said))
    return json.loads(found.record)


def test_every_column_that_is_read_is_one_of_an_export():
    assert {name for name, _ in FIELDS} | {*TIMES, *KEYS} <= set(COLUMNS.split())
    assert len(COLUMNS.split()) == 55


def test_a_row_becomes_the_fields_of_the_event_that_it_was():
    found = event(
        user_id="u-1001",
        event_properties={"total": 19.50, "items": ["a", "b"]},
        user_properties={"plan": "pro"},
        groups={"company": ["acme"]},
        device_carrier="Telia",
        ip_address="192.0.2.7",
        version_name="3.1",
        country="Lithuania",
        location_lat=54.69,
    )
    assert found == {
        "user_id": "u-1001",
        "device_id": "d-77aa",
        "event_type": "order_paid",
        "event_properties": {"total": 19.5, "items": ["a", "b"]},
        "user_properties": {"plan": "pro"},
        "groups": {"company": ["acme"]},
        "session_id": -1,
        "country": "Lithuania",
        "location_lat": 54.69,
        "carrier": "Telia",
        "ip": "192.0.2.7",
        "app_version": "3.1",
        "time": 1777888800250,
        "insert_id": "8f0c-1",
    }


def test_a_control_event_goes_on_with_its_operations():
    found = event(event_type="$identify", user_properties={"$set": {"plan": "pro"}, "$unset": {"x": "-"}})
    assert (found["event_type"], list(found["user_properties"])) == ("$identify", ["$set", "$unset"])


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({}, 1777888800250),
        ({"event_time": None}, 1777888740000),
        ({"event_time": "2026-05-04 10:00:00"}, 1777888800000),
        ({"event_time": "1969-12-31 23:59:59.999999"}, -1),
    ],
)
def test_the_time_is_event_time_in_whole_milliseconds_and_only_without_it_the_clients(said, wanted):
    assert event(**said)["time"] == wanted


@pytest.mark.parametrize(
    ("said", "wanted"), [({}, "8f0c-1"), ({"$insert_id": None}, "6f1c1b8e-0001"), ({"$insert_id": ""}, "6f1c1b8e-0001")]
)
def test_the_key_is_the_senders_else_the_rows_own(said, wanted):
    assert event(**said)["insert_id"] == wanted


def test_a_row_without_any_key_gets_the_same_one_each_time_and_another_one_at_another_line():
    bare = line(**{"$insert_id": None, "uuid": None})
    first, second = events(bare, bare), events(bare, bare)
    assert first == second
    assert len({json.loads(one.record)["insert_id"] for one in first}) == 2


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '"x"',
        "{}",
        line(event_type=None),
        line(event_type=""),
        line(event_time=None, client_event_time=None),
        line(event_time="soon"),
        line(event_time=5),
        '{"event":"a","properties":{"time":1}}',
    ],
)
def test_what_is_no_row_of_an_export_is_rejected_at_its_line_and_the_next_is_taken(text):
    found = events("", text, line())
    assert [(type(one), one.line) for one in found] == [(Rejected, 2), (Taken, 3)]


def write(folder, named):
    """An unpacked export."""
    for name, texts in named.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(gzip.compress("\n".join(texts).encode()) if name.endswith("gz") else texts[0].encode())
    return folder


def packed(path, folder):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, str(file.relative_to(folder)))
    return path


def carried(path, after=None):
    with ExitStack() as stack:
        found = members(path, stack)
        export = Export(found, after or Place())
        return [(found[one.part].name, one.line) for one in export.records()], export.read(), sum(one.size for one in found)


HOURS = {
    "77/77_2026-05-04_9#0.json.gz": [line(), line()],
    "77/77_2026-05-04_10#0.json.gz": [line()],
    "77/77_2026-05-04_10#1.json.gz": [line(), "{", line()],
    "77/77_2026-05-05_0#0.json": [line()],
}
PLACES = [(name, number) for name, texts in HOURS.items() for number in range(1, len(texts) + 1)]


@pytest.mark.parametrize("as_zip", [True, False])
def test_files_of_an_export_are_read_in_the_order_of_their_hours_whatever_lies_between_them(tmp_path, as_zip):
    other = {"__MACOSX/77/._77.json.gz": ["x"], ".hidden.json": ["x"], "readme.txt": ["x"]}
    folder = write(tmp_path / "export", {**other, **HOURS})
    path = packed(tmp_path / "export.zip", folder) if as_zip else folder
    found, read, size = carried(path)
    assert found == PLACES
    assert read == size


def test_one_file_out_of_an_export_is_read_too(tmp_path):
    folder = write(tmp_path, HOURS)
    assert len(carried(folder / PLACES[0][0])[0]) == 2
    assert len(carried(folder / PLACES[-1][0])[0]) == 1


@pytest.mark.parametrize("as_zip", [True, False])
def test_an_export_is_read_on_from_any_place(tmp_path, as_zip):
    folder = write(tmp_path / "export", HOURS)
    path = packed(tmp_path / "export.zip", folder) if as_zip else folder
    names = list(HOURS)
    for number, (name, at) in enumerate(PLACES):
        assert carried(path, Place(names.index(name), at))[0] == PLACES[number + 1 :]


def test_a_damaged_zip_file_is_refused_and_says_that_nothing_was_taken(tmp_path):
    path = packed(tmp_path / "export.zip", write(tmp_path / "export", HOURS))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadFile, match=r"damaged ZIP file.*Nothing of it was taken"):
        carried(path)


def test_a_folder_without_any_file_of_an_export_is_refused(tmp_path):
    with pytest.raises(BadFile, match="holds no file"):
        carried(tmp_path)


@pytest.mark.parametrize("harm", ["cut", "bit"])
def test_a_member_that_is_damaged_breaks_the_reading_off_with_its_name_and_what_came_before_is_given_out(tmp_path, harm):
    folder = write(tmp_path / "export", HOURS)
    victim = folder / "77/77_2026-05-04_10#1.json.gz"
    data = bytearray(victim.read_bytes())
    if harm == "cut":
        del data[-12:]
    else:
        data[-6] ^= 0xFF
    victim.write_bytes(data)
    seen = []
    with ExitStack() as stack:
        records = Export(members(packed(tmp_path / "x.zip", folder), stack)).records()
        with pytest.raises(BrokenOff, match="10#1"):
            seen.extend(map(_part, records))
    assert seen[:3] == [0, 0, 1]
    assert max(seen) <= 2


def _part(one):
    return one.part
