"""Secrets at rest: encrypted with the home's keys, the first of which encrypts."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from cornicen.errors import BadSetting, Damaged


class Vault:
    """Encrypts and decrypts.

    Args:
        key: One Fernet key a line. New secrets use the first; the others still read what they wrote.

    Raises:
        BadSetting: A line is no key, or there is none.
    """

    def __init__(self, key: bytes) -> None:
        try:
            self._keys = MultiFernet([Fernet(line) for line in key.split()])
        except ValueError as error:
            raise BadSetting("The key that encrypts credentials is no key.", "Restore the home's secret.key.") from error

    def seal(self, secrets: Mapping[str, str]) -> bytes:
        """Encrypted. Twice: two different texts of the same meaning."""
        return self._keys.encrypt(json.dumps(dict(secrets)).encode())

    def open(self, sealed: bytes) -> dict[str, str]:
        """In the clear.

        Raises:
            Damaged: None of the keys encrypted it, or it was changed.
        """
        try:
            opened = json.loads(self._keys.decrypt(sealed))
        except InvalidToken as error:
            raise Damaged(
                "A credential cannot be read with the home's key.", "Restore the secret.key that was used to store it."
            ) from error
        return {str(name): str(value) for name, value in opened.items()}
