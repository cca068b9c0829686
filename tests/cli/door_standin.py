"""A door in this process that keeps what it is given."""

import json

from cornicen.apps.cli.formats import ENGAGE, Rejected


def key_of(route, record):
    """What makes a record itself, as the loader sees it: a key, or for profiles all of it."""
    document = json.loads(record)
    if route == ENGAGE:
        return record.decode()
    return document.get("insert_id") or document["properties"]["$insert_id"]


class DoorStandIn:
    """Takes records as `cornicen.apps.cli.posting.Door` does; those that say ``refuse`` are refused.

    Args:
        gone_after: How many batches it answers; then it behaves as a door that is gone.
    """

    def __init__(self, gone_after=None):
        self.gone_after = gone_after
        self.batches = []

    def post(self, route, records):
        from cornicen.errors import NotRunning

        if self.gone_after is not None and len(self.batches) == self.gone_after:
            raise NotRunning("gone")
        refused = [one for one in records if b'"refuse"' in one.record]
        self.batches.append([key_of(route, one.record) for one in records if one not in refused])
        return [Rejected(one.line, "The door says no.", one.record.decode(), one.part) for one in refused]

    @property
    def keys(self):
        """Of all that it took, in order."""
        return [key for batch in self.batches for key in batch]
