"""Query to SQL: written once in a small subset of DuckDB's dialect, each node in its own CTE, printed for other engines.

SQL sees integers, texts and booleans only: windows, days and zones are integer bounds before a query is printed, and
properties are typed columns. `canonical` writes statements, `leaves` asks only for a query's leaves and combines bitmaps,
`printing` translates.
"""
