import re

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cornicen.cohorts.glob import expression, matches

TABLE = [
    ("*.html", "index.html", True),
    ("*.html", "docs/index.html", False),
    ("**.html", "docs/index.html", True),
    ("docs/**", "docs/a/b", True),
    ("a*c", "abbbc", True),
    ("a*c", "ab/c", False),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("a?c", "ac", False),
    ("[abc]x", "bx", True),
    ("[a-c]x", "dx", False),
    ("[!a-c]x", "dx", True),
    ("[!a-c]x", "ax", False),
    ("[!a]x", "/x", False),
    ("[]a]", "]", True),
    ("[!]a]", "]", False),
    ("[z-a]", "m", False),
    ("[*]", "*", True),
    ("[*]", "a", False),
    ("[a-]", "-", True),
    ("[^a]", "^", True),
    ("[", "[", True),
    ("a.c", "abc", False),
    ("\\d", "\\d", True),
    ("(a|b)+", "(a|b)+", True),
    ("a", "a\n", False),
    ("a*", "a\n", True),
    ("**", "a\n/b", True),
    ("?", "é", True),
    ("?", "😀", True),
    ("", "", True),
    ("", "a", False),
]


@pytest.mark.parametrize(("pattern", "text", "fits"), TABLE)
def test_a_glob_fits_the_whole_text(pattern, text, fits):
    assert matches(pattern, text) is fits


def slowly(pattern, text):
    """Whether a text fits a glob, one character at a time."""
    if not pattern:
        return not text
    if pattern.startswith("**"):
        rest = pattern.lstrip("*")
        return any(slowly(rest, text[cut:]) for cut in range(len(text) + 1))
    if pattern[0] == "*":
        ends = [cut for cut in range(len(text) + 1) if "/" not in text[:cut]]
        return any(slowly(pattern[1:], text[cut:]) for cut in ends)
    if pattern[0] == "[" and (one := one_of_class(pattern)):
        fits, rest = one
        return bool(text) and fits(text[0]) and slowly(rest, text[1:])
    if not text:
        return False
    return (text[0] == pattern[0] or (pattern[0] == "?" and text[0] != "/")) and slowly(pattern[1:], text[1:])


def one_of_class(pattern):
    unlike = pattern[1:2] == "!"
    start = 2 if unlike else 1
    end = pattern.find("]", start + 1)
    if end < 0:
        return None
    inside, held = pattern[start:end], set()
    while inside:
        if len(inside) >= 3 and inside[1] == "-":
            held |= {chr(code) for code in range(ord(inside[0]), ord(inside[2]) + 1)}
            inside = inside[3:]
        else:
            held.add(inside[0])
            inside = inside[1:]
    return (lambda character: (character in held) is not unlike and not (unlike and character == "/")), pattern[end + 1 :]


PATTERNS = st.text("ab/*?[]!-^\\.\n&~|é$Z0 ", max_size=7)
TEXTS = st.text("ab/.\n^-]é[!Z*0 \\", max_size=6)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, TEXTS)
@example("[!]", "!")
@example("[!]", "[!]")
@example("[]", "[]")
@example("**a**", "/a\n")
def test_globs_agree_with_a_matcher_that_goes_one_character_at_a_time(pattern, text):
    assert matches(pattern, text) is slowly(pattern, text)


@pytest.fixture(scope="module")
def re2():
    with duckdb.connect() as connection:
        yield lambda pattern, text: connection.execute(
            "SELECT regexp_full_match($text, $pattern), regexp_matches($text, $pattern)",
            {"text": text, "pattern": expression(pattern)},
        ).fetchone()


@settings(max_examples=120, deadline=None)
@given(pairs=st.lists(st.tuples(PATTERNS, TEXTS), min_size=1, max_size=3))
def test_re2_reads_the_expression_as_python_does(re2, pairs):
    for pattern, text in pairs:
        assert re2(pattern, text) == (matches(pattern, text),) * 2


def test_every_printable_character_is_itself():
    for code in range(32, 127):
        character = chr(code)
        if character not in "*?":
            assert matches(character, character)
            assert not matches(character, "\x00")
    assert re.fullmatch(expression("a{2}"), "aa") is None
