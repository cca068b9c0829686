"""The ledger: what is owed, uncertain and refused, on disk at every step.

A sync's sets are bitmaps (`sync_set`) and rows (`member`) together. The bitmaps hold what the last decision desired and what
was acknowledged when the last run ended; there is a row for each recipient of whom anything is open, and where a request was
ever sent for it, the row's own facts stand in the bitmap's place. A row's ``due`` holds for its recipient: nothing is sent
before it by any sync of the connection.
"""
