"""Whose a path is: vendors' families of paths, and our own pages beside them."""

from cornicen.apps.http.app import Side, app, console
from cornicen.integrations import found

FAMILIES = (
    *("track", "engage", "groups", "import", "record", "flags", "settings", "lookup-tables", "decide"),
    *("2", "batch", "identify", "groupidentify", "usermap", "httpapi", "annotations"),
    *("api", "v1", "sdk", "config", "t"),
)
"""First parts of the paths that vendors' SDKs and importers ask at, those that we do not answer yet among them."""

EARLIER = {"/", "/health", "/metrics"}
"""The last is where Prometheus looks; no vendor's sender asks there."""
CONSOLE = "/console/"


def first(path):
    return path.strip("/").split("/")[0]


def test_none_of_our_pages_lies_where_a_vendor_may_be_asked(house):
    ours = {*console(house.wiring()), "/health"}
    assert not {path for path in ours if first(path) in FAMILIES}
    assert not {path for path in ours - EARLIER if not path.startswith(CONSOLE)}


def test_every_vendors_route_lies_in_a_family_and_none_among_our_pages():
    paths = [route.path for vendor in found().values() for route in vendor.routes]
    assert paths
    assert not [path for path in paths if first(path) not in FAMILIES]
    assert not [path for path in paths if path in EARLIER or path.startswith(CONSOLE)]


def test_all_routes_of_all_vendors_fit_on_one_origin(house):
    app(house.wiring(), list(Side))
