"""``cornicen simulate VENDOR``: a local server that behaves like a vendor's."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Literal

from cyclopts import App

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import PLAIN, Style

app = App(name="simulate", sort_key=8, help="Run a local server that behaves like a vendor's.", help_epilogue=exits.epilogue())


@app.command
def onesignal(*, port: int = 8586, tier: Literal["free", "growth", "professional"] = "growth", style: Style = PLAIN) -> int:
    """Run a server that behaves like OneSignal, with its limits and errors, until SIGTERM or Ctrl-C.

    It listens on this machine only, makes one app, and prints its address, app id and key. Everything in it is gone when
    it stops.

    Args:
        port: The port; 0: a free one.
        tier: The price plan: how many tags a user, how many segments, whether segments can be reached at all.
        style: How to answer.
    """
    return _run("cornicen.integrations.onesignal.simulator", ["--port", str(port), "--tier", tier], style)


def _run(module: str, options: list[str], style: Style) -> int:
    """Run the simulator's process, say what it says, and stop it when we are told to stop."""
    command = [sys.executable, "-m", module, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.terminate())
        if process.stdout is not None and (line := process.stdout.readline()):
            _say(json.loads(line), style)
        code = process.wait()
    return exits.OK if code in {0, -signal.SIGTERM, -signal.SIGINT} else exits.UNAVAILABLE


def _say(said: dict[str, object], style: Style) -> None:
    if style.json:
        output.document(said)
        return
    output.say(f"OneSignal, simulated, at {said['address']}. Ctrl-C stops it.")
    output.say(f"  App id   {said['app_id']}")
    output.say(f"  API key  {said['api_key']}")
    output.say("Connect a home to it:")
    key = "ONESIGNAL_API_KEY"
    output.say(f"  export {key}={said['api_key']}")
    output.say(f"  cornicen connect onesignal --app-id {said['app_id']} --api-key env:{key} --base-url {said['address']}")
