"""What can go wrong: one tree, and the class is the retry policy.

::

    CornicenError
    ├─ BadInput               what was given is wrong; the same again fails again
    │  ├─ BadDefinition       a cohort definition, all its faults at once
    │  ├─ BadFolder           a project folder (YAML), all its faults at once
    │  ├─ BadSetting          a setting of the home, a connection or a sync
    │  ├─ BadFile             a file to import or to read ids from
    │  └─ NotFound            no such thing by that name
    ├─ Denied                 a credential is missing, wrong or not enough
    ├─ Unavailable            something we need does not answer now; later it may
    │  ├─ NotRunning          no `cornicen up` serves this home
    │  ├─ Unreachable         a destination cannot be reached
    │  └─ SpoolFull           the disk bound of the spool is reached
    ├─ DestinationRefused     a destination said a definite no to the whole sync
    │  ├─ WrongKey            its key or app id
    │  └─ TierRefused         its price plan
    ├─ LeaseLost              another courier delivers there now; nothing was written
    └─ Damaged                something of ours on disk is not what we wrote

A member that a destination refuses is a value with a reason (`delivery.shapes.Verdict`), never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class CornicenError(Exception):
    """The root. CLI, API and console print the same three: `code`, `what`, `fix`.

    Args:
        what: One sentence that says what is wrong; never a secret.
        fix: One imperative sentence that says what to do.
    """

    code: ClassVar[str] = "error"

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".strip()

    def as_json(self) -> dict[str, object]:
        """The error as every API answers it."""
        return {"code": self.code, "what": self.what, "fix": self.fix}


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a text that a person wrote.

    Args:
        path: Where, e.g. ``who[0].where.amount``; in files with the file before it.
        what: What is wrong.
        fix: What to write instead; a suggestion where one is near.
    """

    path: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f" {self.fix}" if self.fix else "")


class BadInput(CornicenError):
    """What was given is wrong; the same again fails again."""

    code = "bad_input"


class _Faulty(BadInput):
    """Bad input that lists all its faults."""

    def __init__(self, what: str, faults: list[Fault], fix: str = "Correct these places and try again.") -> None:
        super().__init__(what, fix)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {fault}" for fault in self.faults), self.fix])

    def as_json(self) -> dict[str, object]:
        """As every error, and ``faults``: a list of ``{path, what, fix}``."""
        return {**super().as_json(), "faults": [vars(fault) for fault in self.faults]}


class BadDefinition(_Faulty):
    """A cohort definition says something it cannot."""

    code = "bad_definition"


class BadFolder(_Faulty):
    """A project folder says something it cannot."""

    code = "bad_folder"


class BadSetting(BadInput):
    """A setting is missing or out of its bounds."""

    code = "bad_setting"


class BadFile(BadInput):
    """A file cannot be read as what it was said to be."""

    code = "bad_file"


class NotFound(BadInput):
    """No such thing by that name."""

    code = "not_found"


class Denied(CornicenError):
    """A credential is missing, wrong or not enough."""

    code = "denied"


class Unavailable(CornicenError):
    """Something we need does not answer now; the same later may succeed."""

    code = "unavailable"


class NotRunning(Unavailable):
    """No `cornicen up` serves this home."""

    code = "not_running"


class Unreachable(Unavailable):
    """A destination cannot be reached."""

    code = "unreachable"


class SpoolFull(Unavailable):
    """The disk bound of the spool is reached; nothing was taken."""

    code = "spool_full"


class DestinationRefused(CornicenError):
    """A destination said a definite no to the whole sync; its own words are in `words`."""

    code = "destination_refused"

    def __init__(self, what: str, fix: str = "", words: str = "") -> None:
        super().__init__(what, fix)
        self.words = words

    def as_json(self) -> dict[str, object]:
        """As every error, and the destination's own ``words``."""
        return {**super().as_json(), "words": self.words}


class WrongKey(DestinationRefused):
    """The destination refuses the key or does not know the app."""

    code = "wrong_key"


class TierRefused(DestinationRefused):
    """The destination's price plan lacks what a sync needs."""

    code = "tier_refused"


class LeaseLost(CornicenError):
    """Another courier delivers for the connection now; nothing was written."""

    code = "lease_lost"


class Damaged(CornicenError):
    """Something of ours on disk is not what we wrote."""

    code = "damaged"
