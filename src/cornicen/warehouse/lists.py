"""Given lists: values out of files, as text exactly as they are written there."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from cornicen.cohorts.definition import GivenSource
from cornicen.errors import BadFile

MEMORY = "1GB"
CSV = "read_csv($path, all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true)"
PARQUET = "read_parquet($path)"


class ListReader:
    """`cornicen.flows.ports.GivenReader`: lists in a definition, CSV and Parquet files, and SQL over files.

    A CSV file is comma-separated UTF-8 whose first line names the columns. SQL is one SELECT in DuckDB's dialect; it sees
    files and nothing of ours, and its first column counts.
    """

    def read(self, source: GivenSource) -> pa.StringArray:
        """Distinct values that are set, unordered.

        Args:
            source: Where they are.

        Raises:
            BadFile: It cannot be read as that.
        """
        match source.kind:
            case "list":
                return pa.array(dict.fromkeys(source.values), pa.string())
            case "csv":
                return _file(source, CSV)
            case "parquet":
                return _file(source, PARQUET)
            case "sql":
                return _sql(source)
            case _:
                raise BadFile(f"A list cannot be read from {source.kind!r}.", "Use a list, csv, parquet or sql.")


def _file(source: GivenSource, reader: str) -> pa.StringArray:
    path = Path(source.text)
    if not path.is_file():
        raise BadFile(f"There is no file {path}.", "Correct the path; relative ones start at the definition's folder.")
    if not path.stat().st_size:
        raise BadFile(f"{path} is empty; as {source.kind} it would name its columns.", "Correct the file.")
    with _connection() as connection:
        try:
            shape = connection.execute(f"DESCRIBE SELECT * FROM {reader}", {"path": str(path)}).fetchall()
            column = _column(path, source.column, [(name, kind) for name, kind, *_ in shape])
            return _values(connection, f"SELECT {column} AS value FROM {reader}", {"path": str(path)})
        except duckdb.Error as error:
            raise BadFile(f"{path} cannot be read as {source.kind}: {_first_line(error)}", "Correct the file.") from error


def _column(path: Path, wanted: str, shape: list[tuple[str, str]]) -> str:
    names = [name for name, _ in shape]
    if wanted and wanted not in names:
        raise BadFile(f"{path} has no column {wanted!r}.", f"It has {', '.join(map(repr, names))}.")
    name = wanted or names[0]
    if any(mark in dict(shape)[name] for mark in ("[", "(")) and not dict(shape)[name].startswith("DECIMAL"):
        raise BadFile(f"The column {name!r} of {path} holds lists or structures.", "Name a column of plain values.")
    return '"' + name.replace('"', '""') + '"'


def _sql(source: GivenSource) -> pa.StringArray:
    with _connection() as connection:
        try:
            statements = connection.extract_statements(source.text)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise BadFile("The SQL of a list must be one SELECT.", "Write a single SELECT statement.")
            connection.execute("SET file_search_path = $folder", {"folder": source.folder})
            connection.execute("SET lock_configuration = true")
            relation = connection.sql(source.text)
            return _values(connection, f"SELECT #1 AS value FROM (\n{relation.sql_query()}\n) AS query")
        except duckdb.Error as error:
            raise BadFile(f"The SQL of a list fails: {_first_line(error)}", "Try it in DuckDB, in that folder.") from error


def _values(connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, object] | None = None) -> pa.StringArray:
    distinct = f"SELECT DISTINCT CAST(value AS VARCHAR) AS value FROM ({query}) AS source WHERE value IS NOT NULL"
    found: pa.Table = connection.sql(distinct, params=parameters).to_arrow_table()
    return pa.array(found["value"].to_pylist(), pa.string())


def _connection() -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    return duckdb.connect(":memory:", config=settings)


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().splitlines()[0]
