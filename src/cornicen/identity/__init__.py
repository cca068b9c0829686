"""Who is who: which names are one person, under the rule that a project has chosen.

Three rules in plain Python, one module each; they are normative, and the loader runs the same code over the names of a batch
(`people`). Where a vendor's documentation leaves something open, the rule's docstring says what was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping

from cornicen.identity.amplitude import Amplitude
from cornicen.identity.original import Original
from cornicen.identity.people import Rule
from cornicen.identity.simplified import Simplified

RULES: Mapping[str, Rule] = {"simplified": Simplified(), "original": Original(), "amplitude": Amplitude()}
"""By the name that a project has in its ``identity``."""
