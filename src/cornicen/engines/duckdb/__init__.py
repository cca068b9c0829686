"""The engine for our own warehouse: canonical SQL on an open DuckDB connection that it is handed."""
