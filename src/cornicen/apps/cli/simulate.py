"""``cornicen simulate VENDOR``: a local server that behaves like a vendor's."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import PLAIN, Style
from cornicen.errors import BadInput

app = App(name="simulate", sort_key=8, help="Run a local server that behaves like a vendor's.", help_epilogue=exits.epilogue())


@app.command
def onesignal(
    *,
    port: int = 8586,
    tier: Literal["free", "growth", "professional"] = "growth",
    seed: int = 0,
    clock: float | None = None,
    knob: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    faults: Path | None = None,
    style: Style = PLAIN,
) -> int:
    """Run a server that behaves like OneSignal, with its limits and errors, until SIGTERM or Ctrl-C.

    It listens on this machine only, makes one app, and prints its address, app id and key. Everything in it is gone when
    it stops. `docs/simulator.md` has its knobs and the form of a plan of faults.

    Args:
        port: The port; 0: a free one.
        tier: The price plan: how many tags a user, how many segments, whether segments can be reached at all.
        seed: Equal seeds give equal identifiers.
        clock: Unix seconds at which a virtual clock stands until it is advanced; otherwise the machine's holds.
        knob: A limit or a delay, as NAME=VALUE; several times for several.
        faults: A file with a plan of faults, in JSON.
        style: How to answer.
    """
    options = ["--port", str(port), "--tier", tier, "--seed", str(seed)]
    options += [] if clock is None else ["--clock", str(clock)]
    options += [] if faults is None else ["--faults", str(faults)]
    for each in knob:
        options += ["--knob", each]
    return _run("cornicen.integrations.onesignal.simulator", options, style)


def _run(module: str, options: list[str], style: Style) -> int:
    """Run the simulator's process, say what it says, and stop it when we are told to stop."""
    command = [sys.executable, "-m", module, *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:  # noqa: S603 - our own module
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.terminate())
        if process.stdout is not None and (line := process.stdout.readline()):
            _say(json.loads(line), style)
        _, words = process.communicate()
    if process.returncode == exits.BAD_INPUT:
        what = words.rpartition("error: ")[2].strip()
        raise BadInput(f"The simulator does not take this: {what}", "See docs/simulator.md for knobs and faults, and --help.")
    sys.stderr.write(words)
    return exits.OK if process.returncode in {0, -signal.SIGTERM, -signal.SIGINT} else exits.UNAVAILABLE


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
