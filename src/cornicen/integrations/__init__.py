"""Who we talk to: one folder a vendor, holding everything that knows its wire.

A vendor is found by its module attribute ``MANIFEST`` (`cornicen.flows.vendors.Manifest`): in a folder here, or in any
installed package that names its module in the entry point group ``cornicen.integrations``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from types import ModuleType

from cornicen.errors import BadSetting
from cornicen.flows.vendors import Manifest

GROUP = "cornicen.integrations"


def found(extra: Iterable[Manifest] = ()) -> dict[str, Manifest]:
    """All vendors by name: this package's folders, installed packages', and ``extra``.

    Raises:
        BadSetting: Two are called the same, or an entry point leads to something that has no manifest.
    """
    vendors: dict[str, Manifest] = {}
    for manifest in (*_folders(), *_installed(), *extra):
        if manifest.name in vendors:
            raise BadSetting(f"There are two integrations called {manifest.name}.", "Remove one of the packages.")
        vendors[manifest.name] = manifest
    return vendors


def _folders() -> Iterator[Manifest]:
    for entry in sorted(pkgutil.iter_modules(__path__), key=lambda entry: entry.name):
        if entry.ispkg and (manifest := _manifest(importlib.import_module(f"{__name__}.{entry.name}"))):
            yield manifest


def _installed() -> Iterator[Manifest]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        manifest = _manifest(importlib.import_module(point.module))
        if manifest is None:
            raise BadSetting(f"The integration {point.name} ({point.value}) has no MANIFEST.", "Mend or remove its package.")
        yield manifest


def _manifest(module: ModuleType) -> Manifest | None:
    manifest = getattr(module, "MANIFEST", None)
    return manifest if isinstance(manifest, Manifest) else None
