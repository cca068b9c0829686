"""What was decided: projects, connections, cohorts, syncs, runs, recipients and the ledger (SQLite)."""
