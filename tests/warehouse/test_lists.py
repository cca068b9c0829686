"""Given lists out of files: values as they are written, and errors that say what to do."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cornicen.cohorts.definition import GivenSource
from cornicen.errors import BadFile
from cornicen.warehouse.lists import ListReader


def read(source):
    found = ListReader().read(source)
    assert isinstance(found, pa.StringArray)
    assert len(set(found.to_pylist())) == len(found)
    return sorted(found.to_pylist())


def csv(tmp_path, text, column="", name="ids.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return GivenSource("csv", str(path), column)


def test_a_list_is_its_distinct_values(tmp_path):
    assert read(GivenSource("list", values=("b", "a", "b"))) == ["a", "b"]
    assert read(GivenSource("list")) == []


def test_csv_values_are_text_exactly_as_written(tmp_path):
    text = 'id,n\n007,1\n7,2\n1e3,3\n2017-10-29,4\n"a,b",5\n"say ""hi""",6\n x ,7\ntrue,8\né,9\na;b|c,10\n,11\n007,12\n'
    wanted = sorted(["007", "7", "1e3", "2017-10-29", "a,b", 'say "hi"', " x ", "true", "é", "a;b|c"])
    assert read(csv(tmp_path, text)) == wanted
    assert read(csv(tmp_path, text, "id")) == wanted
    assert read(csv(tmp_path, text, "n")) == sorted(map(str, range(1, 13)))


def test_a_csv_of_one_column_needs_no_column_name_and_its_first_line_is_the_header(tmp_path):
    assert read(csv(tmp_path, "id\n13793\na;b\n")) == ["13793", "a;b"]
    assert read(csv(tmp_path, "\ufeffid\r\n13793\r\n13794", "id")) == ["13793", "13794"]
    assert read(csv(tmp_path, "id\n")) == []


def test_a_large_csv_is_not_judged_by_its_first_lines(tmp_path):
    lines = [str(n) for n in range(50_000)] + ["not a number", '"quoted, late"']
    assert len(read(csv(tmp_path, "id\n" + "\n".join(lines) + "\n"))) == 50_002


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("id,n\n1,2\n", "nope", ["nope", "'id', 'n'"]),
        ("id,n\n1\n2,3\n", "id", ["csv"]),
        (b"id\n\xff\xfe\n", "id", ["csv"]),
        ("", "", ["csv"]),
    ],
)
def test_a_csv_that_is_none_says_file_and_column(tmp_path, text, column, words):
    source = csv(tmp_path, text, column)
    with pytest.raises(BadFile) as found:
        read(source)
    assert all(word in str(found.value) for word in [source.text, *words])
    assert found.value.fix


def parquet(tmp_path, column="", **columns):
    path = tmp_path / "ids.parquet"
    pq.write_table(pa.table(columns), path)
    return GivenSource("parquet", str(path), column)


def test_parquet_values_are_text(tmp_path):
    numbers = {"id": pa.array([13793, 2**60, None]), "name": pa.array(["x", "", None])}
    assert read(parquet(tmp_path, **numbers)) == sorted(["13793", str(2**60)])
    assert read(parquet(tmp_path, "name", **numbers)) == ["", "x"]
    assert read(parquet(tmp_path, id=pa.array([1, 2], pa.decimal128(10, 2)))) == ["1.00", "2.00"]


def test_a_column_of_lists_or_a_broken_file_is_no_list(tmp_path):
    with pytest.raises(BadFile, match="lists or structures"):
        read(parquet(tmp_path, id=pa.array([[1]])))
    (tmp_path / "ids.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadFile, match="parquet"):
        read(GivenSource("parquet", str(tmp_path / "ids.parquet")))
    with pytest.raises(BadFile, match="no file"):
        read(GivenSource("csv", str(tmp_path / "absent.csv")))


def test_sql_reads_files_of_its_folder_and_its_first_column_counts(tmp_path):
    csv(tmp_path, "id,n\na,1\nb,2\n")
    parquet(tmp_path, id=pa.array(["b", "c"]))
    sql = "SELECT p.id AS who, n FROM 'ids.csv' RIGHT JOIN 'ids.parquet' p USING (id) ORDER BY n;"
    assert read(GivenSource("sql", sql, folder=str(tmp_path))) == ["b", "c"]
    both = "WITH a AS (SELECT id FROM 'ids.csv') SELECT id FROM a UNION ALL SELECT id FROM a -- twice"
    assert read(GivenSource("sql", both, folder=str(tmp_path))) == ["a", "b"]
    assert read(GivenSource("sql", "SELECT 1, 1 AS x, 2 AS x", folder=str(tmp_path))) == ["1"]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1; SELECT 2",
        "COPY (SELECT 1) TO 'out.csv'",
        "CREATE TABLE t AS SELECT 1",
        "ATTACH 'other.duckdb'",
        "SET memory_limit = '1TB'",
        "SELECT * FROM 'absent.csv'",
        "SELEC 1",
        "SELECT value FROM secret",
        "SELECT error('no')",
    ],
)
def test_sql_that_is_no_single_select_over_files_is_refused(tmp_path, sql):
    secret = pa.table({"value": ["leaked"]})
    assert secret is not None
    with pytest.raises(BadFile):
        read(GivenSource("sql", sql, folder=str(tmp_path)))
    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_is_refused():
    with pytest.raises(BadFile):
        read(GivenSource("ftp"))
