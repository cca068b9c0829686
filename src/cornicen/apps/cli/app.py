"""The tree of commands; what they need is imported when they run, so that ``cornicen --help`` is fast."""

from __future__ import annotations

from cyclopts import App, Parameter

from cornicen.apps.cli import cohort, events, exits, group, person, simulate, sync
from cornicen.apps.cli.apply import apply
from cornicen.apps.cli.importing import import_file
from cornicen.apps.cli.init import init
from cornicen.apps.cli.status import status
from cornicen.apps.cli.up import up


def _version() -> str:
    from importlib.metadata import version

    return version("cornicen")


app = App(
    name="cornicen",
    help="Keeps your OneSignal segments equal to your cohorts, and proves it.",
    help_epilogue=exits.epilogue(),
    version=_version,
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,
)
app.command(init, sort_key=1)
app.command(up, sort_key=2)
app.command(status, sort_key=8)
app.command(import_file, name="import", sort_key=3)
# These two are imported only when they are called: one asks every vendor for its settings, one builds on this command line.
app.command("cornicen.apps.cli.connect:app", name="connect", help="Connect a destination, or check one.", sort_key=4)
app.command("cornicen.apps.demo.command:demo", name="demo", help="Run the whole job on public data, and prove it.", sort_key=9)
app.command(apply, sort_key=5)
app.command(cohort.app)
app.command(sync.app)
app.command(events.app)
app.command(person.app)
app.command(group.app)
app.command(simulate.app)
