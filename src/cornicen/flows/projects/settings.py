"""A connection's settings, as a person gives them, against what the vendor's manifest declares."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from cornicen.errors import BadSetting, Fault
from cornicen.flows.vendors import Manifest, Setting

REFERENCE = re.compile(r"(env|file):(.+)", re.DOTALL)
LONGEST_SECRET = 10_000
FLAGS = {"true": True, "false": False}


@dataclass
class Checked:
    """Settings that were looked at.

    Args:
        settings: The public ones, defaults filled in.
        secrets: The secret ones, in the clear.
        faults: What is wrong; never a secret among it.
    """

    settings: dict[str, object] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    faults: list[Fault] = field(default_factory=list)


def nearest(word: str, known: list[str]) -> str:
    """A suggestion: the known word that is near, or all of them where they are few."""
    if near := get_close_matches(word, known, 1):
        return f"Did you mean `{near[0]}`?"
    return f"There are: {', '.join(sorted(known))}." if known else ""


def check(manifest: Manifest, given: Mapping[str, object], folder: Path, environment: Mapping[str, str]) -> Checked:
    """Check all settings of one connection.

    Args:
        manifest: The vendor's.
        given: By name; secrets as references, ``env:NAME`` or ``file:PATH``.
        folder: Relative ``file:`` paths start here.
        environment: Where ``env:`` looks.

    Returns:
        What holds, and all faults; their paths are setting names.
    """
    checked = Checked()
    known = {setting.name: setting for setting in manifest.settings}
    for name in given.keys() - known.keys():
        checked.faults.append(Fault(name, f"is no setting of {manifest.title}.", nearest(name, list(known))))
    for name, setting in known.items():
        value = given.get(name, setting.default)
        if value is None:
            checked.faults.append(Fault(name, "is missing.", setting.help))
            continue
        if setting.secret and name not in given:
            continue  # one with a default may be left out; the default is no reference
        try:
            if setting.secret:
                checked.secrets[name] = resolve(value, folder, environment)
            else:
                checked.settings[name] = _public(setting, value) if name in given else value
        except BadSetting as error:
            checked.faults.append(Fault(name, error.what, error.fix))
    return checked


def resolve(reference: object, folder: Path, environment: Mapping[str, str]) -> str:
    """The secret that a reference names.

    Raises:
        BadSetting: It is no reference, or leads nowhere. What was given is never repeated: it may be the secret.
    """
    found = REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if found is None:
        raise BadSetting("is secret and must be given by reference.", "Write `env:NAME` or `file:PATH` instead of the value.")
    kind, place = found.groups()
    if kind == "env":
        secret = environment.get(place, "").strip()
        missing = BadSetting(f"names the environment variable {place}, which is not set.", f"Set {place}, or use `file:PATH`.")
    else:
        path = folder / place
        missing = BadSetting(f"names the file {path}, which has no text.", "Put the secret into that file.")
        try:
            with path.open(encoding="utf-8") as file:
                secret = file.read(LONGEST_SECRET + 1).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(f"names the file {path}, which cannot be read.", "Create it, readable for you alone.") from error
    if not secret:
        raise missing
    if len(secret) > LONGEST_SECRET or not secret.isprintable():
        raise BadSetting("leads to something that is no key.", "Let it hold the key alone, on one line.")
    return secret


def _public(setting: Setting, value: object) -> object:
    match setting.kind:
        case "number":
            return _number(setting, value)
        case "uuid":
            try:
                return str(uuid.UUID(str(value)))
            except ValueError:
                raise BadSetting(f"must be a UUID, not {value!r}.", setting.help) from None
        case "url":
            parts = urlsplit(str(value))
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
                raise BadSetting(f"must be an http or https address, not {value!r}.", setting.help)
            return str(value).rstrip("/")
        case "choice":
            if value not in setting.choices:
                raise BadSetting(f"must be {' or '.join(setting.choices)}, not {value!r}.", setting.help)
        case "flag":
            if str(value).lower() not in FLAGS:
                raise BadSetting(f"must be true or false, not {value!r}.", setting.help)
            return FLAGS[str(value).lower()]
    if not isinstance(value, str) or not value.strip():
        raise BadSetting(f"must be a text, not {value!r}.", setting.help)
    return value


def _number(setting: Setting, value: object) -> int | float:
    if isinstance(value, str):
        try:
            value = float(value) if "." in value else int(value)
        except ValueError:
            raise BadSetting(f"must be a number, not {value!r}.", setting.help) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadSetting(f"must be a number, not {value!r}.", setting.help)
    if (setting.least is not None and value < setting.least) or (setting.most is not None and value > setting.most):
        bounds = [f"at least {setting.least:g}"] * (setting.least is not None) + [f"at most {setting.most:g}"] * (
            setting.most is not None
        )
        raise BadSetting(f"must be {' and '.join(bounds)}, not {value}.", setting.help)
    return value
