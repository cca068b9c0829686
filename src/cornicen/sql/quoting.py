"""Names and values as SQL writes them: every identifier and literal of a statement goes through here."""

from __future__ import annotations


def identifier(name: str) -> str:
    """A column's or a relation's name, quoted: any text is allowed."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text literal; a backslash is a backslash."""
    return "'" + value.replace("'", "''") + "'"


def integer(value: int) -> str:
    """An integer literal of at most 128 bits; a negative one in parentheses, so that ``- -1`` is never a comment."""
    return str(value) if value >= 0 else f"({value})"
