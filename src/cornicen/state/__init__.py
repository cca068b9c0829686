"""What was decided: projects, connections, cohorts, syncs, runs, recipients, leases and the ledger.

`opening.open_state` is the way in. The ledger is what exactness rests on: `ledger.sets` reads a sync's sets, `ledger.deciding`
writes what a tick decided, `ledger.settling` and `ledger.claiming` are the two halves of an exchange, `ledger.finishing` folds.
"""
