"""How far loading is behind, by lane."""

from plain_warehouse import event, fill

from cornicen.warehouse.warehouse import DuckDBWarehouse


def test_the_oldest_record_of_each_lane_is_told_until_it_is_loaded(tmp_path):
    warehouse = DuckDBWarehouse(tmp_path, threads=1)
    try:
        assert warehouse.oldest() == {}
        fill(tmp_path, [[event(time=1)], [event(time=2)]], lane="bulk")
        fill(tmp_path, [[event(time=3)], [event(time=4)]])
        stamps = warehouse.oldest()
        assert set(stamps) == {"live", "bulk"}
        assert stamps["live"] == warehouse.watermark(2_000_000_000) + 1
        warehouse.load(1)
        assert warehouse.oldest()["live"] > stamps["live"]
        assert warehouse.oldest()["bulk"] == stamps["bulk"]
        warehouse.load(1)
        assert warehouse.oldest() == {"bulk": stamps["bulk"]}
        warehouse.load(10)
        assert warehouse.oldest() == {}
    finally:
        warehouse.close()
