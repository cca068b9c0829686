"""What is still to say to a destination.

`shapes` has what flows between the ledger, the courier and a vendor; `member` is the meaning: one recipient of one sync,
every step it can take, and what is owed in each state; `owed` the same for ten million at once, in bitmaps; `guard`,
`rate` and `retry` decide how much at once, how fast, and when again. All pure: no clock, no disk, no network.
"""
