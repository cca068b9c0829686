"""What an event earned: exact, whichever of price, quantity and revenue a sender gives."""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, InvalidOperation, Overflow

import msgspec

NOTHING = msgspec.Raw(b"")
"""An amount that was not sent; ``null`` means the same."""

AMOUNTS = ("price", "quantity", "revenue")

_EXACT = Context(prec=60, Emax=400, Emin=-400, traps=[Overflow, InvalidOperation])
_NONE = frozenset({b"", b"null"})


def is_amount(text: bytes) -> bool:
    """Whether a JSON value is a number, or none."""
    return text[:1] in b"-0123456789n"


def revenue(price: bytes, quantity: bytes, sent: bytes) -> bytes:
    """Price times quantity where both are there, else what was sent, else the price of one.

    Args:
        price: A JSON number; "" or ``null``: not sent.
        quantity: The same.
        sent: The same; what the sender says it is.

    Returns:
        A JSON number, exact to 60 digits; ``null`` where there is none, or it is beyond all bounds.
    """
    if price in _NONE:
        return sent or b"null"
    if quantity in _NONE:
        return price if sent in _NONE else sent
    try:
        return str(_EXACT.multiply(_decimal(price), _decimal(quantity))).encode()
    except DecimalException:
        return b"null"


def _decimal(literal: bytes) -> Decimal:
    return _EXACT.create_decimal(literal.decode())


class _Earned(msgspec.Struct, gc=False):
    price: msgspec.Raw = msgspec.field(default=NOTHING, name="$price")
    quantity: msgspec.Raw = msgspec.field(default=NOTHING, name="$quantity")
    revenue: msgspec.Raw = msgspec.field(default=NOTHING, name="$revenue")


_earned = msgspec.json.Decoder(_Earned)


def earned(own: bytes) -> bytes:
    """The revenue of an SDK's revenue event, which has its amounts among its properties; ``null`` where there is none.

    Args:
        own: The event's ``event_properties``.
    """
    found = _earned.decode(own)
    amounts = [bytes(raw) for raw in (found.price, found.quantity, found.revenue)]
    return revenue(*amounts) if all(map(is_amount, amounts)) else b"null"
