"""The warehouse's DuckDB file: opened, asked, and changed in transactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from cornicen.errors import Damaged, Unavailable

WAL_BYTES = "4GB"
"""DuckDB would fold its log into the file in the middle of a commit; we do so between batches (`Warehouse.checkpoint`)."""

SCRATCH = "scratch"
"""A database in memory, beside the file, for what lasts as long as the process: every cursor sees it."""

Parameters = Mapping[str, object] | list[object] | None


class Database:
    """One DuckDB file; this process is its only opener.

    Args:
        path: The file; made where it does not exist.
        memory: What it may use, as DuckDB writes it.
        threads: None: as many as there are cores.

    Raises:
        Unavailable: Another process has it open.
        Damaged: It cannot be read.
    """

    def __init__(self, path: Path, memory: str, threads: int | None = None) -> None:
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "temp_directory": str(path.parent / "tmp"),
            "checkpoint_threshold": WAL_BYTES,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if threads is not None:
            settings["threads"] = threads
        try:
            self.connection = duckdb.connect(str(path), config=settings)
        except duckdb.IOException as error:
            if "lock" in str(error):
                raise Unavailable(f"{path} is open in another process.", "Stop the other keeper of this project.") from error
            raise Damaged(f"{path} cannot be read: {error}.", "Restore it from a backup.") from error
        self._log = path.with_name(path.name + ".wal")
        self.rows(f"ATTACH ':memory:' AS {SCRATCH}")

    def rows(self, sql: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """Run a statement; all its rows."""
        return self.connection.execute(sql, parameters).fetchall()

    def one(self, sql: str, parameters: Parameters = None) -> tuple[Any, ...]:
        """Run a statement that has exactly one row."""
        [row] = self.rows(sql, parameters)
        return row

    def arrow(self, sql: str, parameters: Parameters = None) -> pa.Table:
        """Run a query; all its rows as Arrow."""
        found: pa.Table = self.connection.sql(sql, params=parameters).to_arrow_table()
        return found

    @contextmanager
    def lent(self, **tables: pa.Table) -> Iterator[None]:
        """Let statements read Arrow tables by these names."""
        for name, table in tables.items():
            self.connection.register(name, table)
        try:
            yield
        finally:
            for name in tables:
                self.connection.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or, after any error, nothing."""
        self.connection.begin()
        whole = False
        try:
            yield
            whole = True
        finally:
            if not whole:
                self.connection.rollback()
        self.connection.commit()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same file: it sees what is committed, and the scratch tables."""
        return self.connection.cursor()

    def checkpoint(self) -> None:
        """Fold the log into the file. Twice: does nothing."""
        self.connection.checkpoint()

    def log_bytes(self) -> int:
        """How large the write-ahead log is: a checkpoint folds about 150 MB of it a second, and commits wait for it."""
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        """Close it; what was committed stays. Twice: does nothing."""
        self.connection.close()
