"""Spool files: a torn end is passed over, damage never is."""

import pytest

from cornicen.errors import Damaged
from cornicen.warehouse.frames import HEADER_BYTES, MAGIC, pack, scan

PAYLOADS = [b"first", b"second " + MAGIC + b" in it", b"", b"fourth" * 5]


def file_of(path, groups):
    """Write groups of payloads, each group as one write; returns the offset after each frame and each group's offset."""
    data, ends, starts = b"", [], []
    stamp = 0
    for group in groups:
        at = len(data)
        for payload in group:
            stamp += 1
            data += pack(payload, stamp=stamp, records=len(payload), group=at)
            ends.append(len(data))
            starts.append(at)
    path.write_bytes(data)
    return ends, starts


def payloads(path, start=0):
    return [frame.payload for frame in scan(path, start)]


def test_what_was_packed_is_what_is_read(tmp_path):
    path = tmp_path / "1.spool"
    ends, _ = file_of(path, [PAYLOADS[:2], PAYLOADS[2:]])
    frames = list(scan(path, 0))
    assert [frame.payload for frame in frames] == PAYLOADS
    assert [frame.end for frame in frames] == ends
    assert [(frame.stamp, frame.records) for frame in frames] == [(i + 1, len(p)) for i, p in enumerate(PAYLOADS)]
    assert payloads(path, ends[1]) == PAYLOADS[2:]


@pytest.mark.parametrize("groups", [[[p] for p in PAYLOADS], [PAYLOADS]])
def test_a_file_cut_at_any_byte_gives_exactly_the_frames_that_end_before_the_cut(tmp_path, groups):
    path = tmp_path / "1.spool"
    ends, _ = file_of(path, groups)
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        assert payloads(path) == PAYLOADS[: sum(end <= cut for end in ends)]


@pytest.mark.parametrize("groups", [[[p] for p in PAYLOADS], [PAYLOADS[:2], PAYLOADS[2:]]])
def test_a_flipped_byte_is_damage_where_a_later_group_follows_and_a_torn_end_where_none_does(tmp_path, groups):
    path = tmp_path / "1.spool"
    ends, starts = file_of(path, groups)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        good = sum(end <= at for end in ends)
        read = []
        if starts[good] < starts[-1]:
            with pytest.raises(Damaged):
                read.extend(scan(path, 0))
        else:
            read.extend(scan(path, 0))
            assert len(read) == good
        assert [frame.payload for frame in read] == PAYLOADS[: len(read)]


def test_a_write_that_reached_the_disk_in_the_wrong_order_is_a_torn_end(tmp_path):
    path = tmp_path / "1.spool"
    ends, _ = file_of(path, [PAYLOADS[:1], PAYLOADS[1:]])
    whole = path.read_bytes()
    hole = bytes(ends[1] - ends[0])
    path.write_bytes(whole[: ends[0]] + hole + whole[ends[1] :])
    assert payloads(path) == PAYLOADS[:1]


def test_the_error_names_the_file_and_says_what_to_do(tmp_path):
    path = tmp_path / "7.spool"
    file_of(path, [[b"a"], [b"b"]])
    whole = bytearray(path.read_bytes())
    whole[HEADER_BYTES] ^= 1
    path.write_bytes(whole)
    with pytest.raises(Damaged) as found:
        payloads(path)
    assert str(path) in found.value.what
    assert found.value.fix
