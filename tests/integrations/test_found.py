import importlib
import sys
from dataclasses import replace

import pytest

from cornicen import integrations
from cornicen.errors import BadSetting

VENDOR = '''"""A vendor of another package."""

from cornicen.flows.vendors import Manifest, Setting
from cornicen.testing.pages import PageDestination

MANIFEST = Manifest(
    "{name}",
    "Postbox",
    "messaging",
    settings=(Setting("address", "Address", "Where it listens.", "url"),),
    destination=lambda settings, secrets: PageDestination(str(settings["address"])),
)
'''
METADATA = "Metadata-Version: 2.4\nName: cornicen-postbox\nVersion: 1\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes an installed package of one folder that brings a vendor."""

    def make(name="postbox", text=VENDOR):
        (tmp_path / "postbox_vendor").mkdir()
        (tmp_path / "postbox_vendor" / "__init__.py").write_text(text.format(name=name))
        info = tmp_path / "cornicen_postbox-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(METADATA)
        (info / "entry_points.txt").write_text(f"[{integrations.GROUP}]\npostbox = postbox_vendor\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()

    yield make
    sys.modules.pop("postbox_vendor", None)


def test_our_own_vendors_are_found_by_their_folders():
    found = integrations.found()
    assert "onesignal" in found
    assert all(name == manifest.name for name, manifest in found.items())


def test_a_vendor_in_a_package_of_its_own_is_found_and_delivers_without_touching_ours(package, server):
    before = integrations.found()
    package()
    found = integrations.found()
    assert set(found) == {*before, "postbox"}
    destination = found["postbox"].destination({"address": server.address}, {})
    assert destination.probe().url == f"{server.address}/"


def test_two_vendors_of_one_name_are_refused(package):
    package("onesignal")
    with pytest.raises(BadSetting, match="two integrations called onesignal"):
        integrations.found()


def test_an_entry_point_without_a_manifest_is_named(package):
    package(text='"""Nothing."""\n')
    with pytest.raises(BadSetting, match="postbox"):
        integrations.found()


def test_more_can_be_given_by_hand():
    ours = integrations.found()
    extra = replace(ours["onesignal"], name="another")
    assert integrations.found([extra]) == {**ours, "another": extra}
