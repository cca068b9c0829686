"""Our own events: spool, loader, names, profiles, and what pages ask. One implementation, DuckDB."""
