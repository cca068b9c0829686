"""The courier: claims from the ledger and talks to destinations. One a home; one lane for each connection."""

from cornicen.apps.courier.work import Wiring, run

__all__ = ["Wiring", "run"]
