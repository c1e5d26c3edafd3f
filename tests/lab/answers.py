# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies that no healthy Windows gives, for clients that must survive them."""

from __future__ import annotations

_HTML = (
    b"<html><head><title>Welcome</title></head><body><h1>It works!</h1>"
    b"<p>This is some web server, not WS-Management.</p></body></html>"
)
_BOMB_LEVELS = 12
_OVERSIZED = 32 * 1024 * 1024


def distort(kind: str, body: bytes) -> tuple[bytes, str | None]:
    """A wrong body in place of the right one, and its content type (None: as if it were right).

    kind: html, truncated, oversized, entity_expansion, garbage, empty, or utf16 (the right one in another encoding).
    """
    if kind == "html":
        return _HTML, "text/html"
    if kind == "truncated":
        return body[: len(body) * 2 // 3], None
    if kind == "oversized":
        end = body.rindex(b"</s:Envelope>")
        return body[:end] + b"<!-- " + b"x" * _OVERSIZED + b" -->" + body[end:], None
    if kind == "entity_expansion":
        return _bomb(body), None
    if kind == "utf16":
        return body.decode("utf-8").encode("utf-16"), "application/soap+xml;charset=UTF-16"
    if kind == "garbage":
        return bytes(range(256)) * 4, None
    return b"", None


def _bomb(body: bytes) -> bytes:
    """A document type declaration whose entities expand tenfold per level, used inside the reply's body."""
    lines = ['<!ENTITY e0 "lol">']
    lines += [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, _BOMB_LEVELS)]
    declaration = f"<!DOCTYPE s [{''.join(lines)}]>".encode()
    end = body.rindex(b"</s:Body>")
    return declaration + body[:end] + f"<bomb>&e{_BOMB_LEVELS - 1};</bomb>".encode() + body[end:]
