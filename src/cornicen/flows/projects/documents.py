"""One YAML document, read strictly: what a person wrote is what is meant, and each fault knows its line.

The scalars are those of YAML 1.2 and JSON: ``no``, ``on`` and ``2017-10-29`` are texts, ``0123`` is a number. A key that is
written twice is a fault, tags are faults, and keys are always texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import yaml

from cornicen.errors import Fault

LARGEST_DOCUMENT = 4_000_000
"""Bytes; what a person writes is far below, and everything is read at once."""

DEEPEST = 60
"""Levels of nesting, so that no document can exhaust the stack."""

SHORTEN = "Put long lists into a CSV file."

MOST_DIGITS = 300
"""Of a number."""

MOST_VALUES = 500_000
"""Values, those that an alias repeats counted each time."""

_YAML = "tag:yaml.org,2002:"
_SCALARS: list[tuple[str, str, str]] = [
    (_YAML + "bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_YAML + "null", r"~|null|Null|NULL|", "~nN"),
    (_YAML + "int", r"[-+]?[0-9]+", "-+0123456789"),
    (_YAML + "float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
]


class _Loader(yaml.SafeLoader):
    """PyYAML's, with YAML 1.2's scalars in place of 1.1's."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), [*_first, *([""] if _tag.endswith("null") else [])])


@dataclass
class Document:
    """A document and where its parts stand.

    Args:
        file: Its name as faults show it.
        value: As JSON would have it; None: the text is empty or no YAML.
        lines: By path (``who[0].where.amount``): the line, counted from 1.
        faults: What is wrong with it as YAML.
    """

    file: str
    value: object = None
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def at(self, path: str) -> str:
        """A place in this file for people: ``file:line: path``; the line is the nearest that is known."""
        known = path
        while known and known not in self.lines:
            known = known[: max(known.rfind("."), known.rfind("["), 0)]
        line = self.lines.get(known)
        return f"{self.file}{f':{line}' if line else ''}" + (f": {path}" if path else "")


def read(path: Path, file: str) -> Document:
    """Read one file.

    Args:
        path: Where it is.
        file: Its name as faults show it.

    Returns:
        The document; its faults instead of an exception, so that a folder's come all at once.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        return Document(file, faults=[Fault(file, f"cannot be read: {error.strerror}.", "Check its permissions.")])
    if len(raw) > LARGEST_DOCUMENT:
        return Document(
            file, faults=[Fault(file, f"has more than {LARGEST_DOCUMENT:,} bytes.", "Put long lists into a CSV file.")]
        )
    try:
        return parse(raw.decode(), file)
    except UnicodeDecodeError:
        return Document(file, faults=[Fault(file, "is not UTF-8.", "Save it as UTF-8.")])


def parse(text: str, file: str) -> Document:
    """Read one document from its text; see `read`."""
    document = Document(file)
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        said = " ".join(part for part in (error.context, error.problem) if part)
        document.faults.append(
            Fault(f"{file}{line}", f"is no YAML: {said}.", "Check indentation, quotes and colons near this line.")
        )
    except yaml.YAMLError as error:
        document.faults.append(Fault(file, f"is no YAML: {error}.", "Remove the characters that YAML does not allow."))
    else:
        if node is not None:
            document.value = _value(node, "", document, ())
    return document


def _value(node: yaml.Node, path: str, document: Document, above: tuple[int, ...]) -> object:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in above or len(above) > DEEPEST:
        document.faults.append(Fault(document.at(path), "is nested without end, or too deeply.", "Write it out."))
        return None
    if len(document.lines) > MOST_VALUES:
        if not document.faults:
            document.faults.append(Fault(document.file, f"has more than {MOST_VALUES:,} values.", SHORTEN))
        return None
    inside = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document, inside)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, f"{path}[{number}]", document, inside) for number, item in enumerate(node.value)]
    return _scalar(node, path, document)


def _mapping(node: yaml.MappingNode, path: str, document: Document, inside: tuple[int, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in node.value:
        place = f"{document.file}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            document.faults.append(Fault(place, "has a key that is no text.", "Quote the key."))
            continue
        name = _text(str(key.value), place, document)
        here = f"{path}.{name}" if path else name
        if name in found:
            document.faults.append(Fault(f"{place}: {here}", "is written twice.", "Keep one of them."))
            continue
        document.lines[here] = key.start_mark.line + 1
        found[name] = _value(value, here, document, inside)
    return found


def _scalar(node: yaml.Node, path: str, document: Document) -> object:
    text = str(node.value)
    match node.tag.removeprefix(_YAML):
        case "str":
            return _text(text, document.at(path), document)
        case "bool":
            return text.lower() == "true"
        case "null":
            return None
        case "int" | "float" as kind if len(text) <= MOST_DIGITS and isfinite(float(text)):
            return int(text) if kind == "int" else float(text)
        case "int" | "float":
            document.faults.append(Fault(document.at(path), "is a number too large to hold.", "Quote it if it is a text."))
            return None
    document.faults.append(Fault(document.at(path), f"has the tag {node.tag}.", "Remove it; tags have no meaning here."))
    return None


def _text(text: str, place: str, document: Document) -> str:
    """A text that is Unicode; JSON escapes what lies beyond the first plane as two halves."""
    if text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        document.faults.append(Fault(place, "has half a character.", "Write the character itself."))
        return ""
