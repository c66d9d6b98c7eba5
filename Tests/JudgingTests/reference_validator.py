"""The default output validator of the Kattis problem package format (2025-09), written from the specification alone and
as plainly as it can be: whole texts, exact rationals. Reads JSON lines {"answer", "output" (hexadecimal), "flags"} and
answers 42 or 43 for each on a line of its own."""

import json
import re
import sys
from fractions import Fraction

SPACE = b" \f\n\r\t\v"
FLOAT = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def split(text):
    """Tokens, and the white space before, between and after them."""
    tokens, spaces, token, space = [], [], bytearray(), bytearray()
    for byte in text:
        if byte in SPACE:
            if token:
                tokens.append(bytes(token))
                token.clear()
            space.append(byte)
        else:
            if not token:
                spaces.append(bytes(space))
                space.clear()
            token.append(byte)
    if token:
        tokens.append(bytes(token))
    return tokens, [*spaces, bytes(space)]


def number(token):
    return Fraction(token.decode()) if FLOAT.fullmatch(token) else None


def tolerances(flags):
    """Absolute and relative tolerance, or None for each."""
    absolute = relative = None
    for name, value in zip(flags, flags[1:]):
        if name in ("float_tolerance", "float_absolute_tolerance"):
            absolute = Fraction(value)
        if name in ("float_tolerance", "float_relative_tolerance"):
            relative = Fraction(value)
    return absolute, relative


def accepts(answer, output, flags):
    expected, expected_spaces = split(answer)
    found, found_spaces = split(output)
    if len(expected) != len(found):
        return False
    if "space_change_sensitive" in flags and expected_spaces != found_spaces:
        return False
    absolute, relative = tolerances(flags)
    for a, s in zip(expected, found):
        value = number(a) if absolute is not None or relative is not None else None
        if value is not None:
            other = number(s)
            if other is None:
                return False
            apart = abs(other - value)
            if absolute is not None and apart <= absolute:
                continue
            if relative is not None and apart <= relative * abs(value):
                continue
            return False
        if "case_sensitive" not in flags:
            a, s = a.lower(), s.lower()  # of bytes: ASCII letters alone
        if a != s:
            return False
    return True


for line in sys.stdin:
    case = json.loads(line)
    answer, output = bytes.fromhex(case["answer"]), bytes.fromhex(case["output"])
    print(42 if accepts(answer, output, case["flags"]) else 43)
