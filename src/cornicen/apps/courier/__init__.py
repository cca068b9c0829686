"""The courier: claims from the ledger and talks to destinations. One a home; a lane for each connection it has."""

from cornicen.apps.courier.work import Wiring, run

__all__ = ["Wiring", "run"]
