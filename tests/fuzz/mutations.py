# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes for the targets: seeds that were cut, repeated, flipped and filled with words that parsers care for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

#: Words that mean something to one of the parsers, or to whoever shows what it has read.
TOKENS: tuple[bytes, ...] = (
    b"<", b">", b"</a>", b"<a>", b"&#x1b;", b"&#x202e;", b"&lt;", b"<![CDATA[", b"]]>", b"<!DOCTYPE a>", b"<?xml?>",
    b'RefId="0"', b'<Ref RefId="0"/>', b'i:nil="true"', b"_xD800_", b"_x001B_",
    b"null", b"true", b"{}", b"[]", b'""', b"0", b"-1", b"256", b"4294967296", b"1e999", b"NaN", b"9" * 30, b"9" * 5000,
    b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59.999999Z", b"2026-02-30", b"1E5", b"0x", b"\xd9\xa3",
    b"!!int ", b"!!timestamp ", b"&a ", b"*a", b"- ", b": ", b"? ", b"\\UFFFFFFFF", b"%YAML 1.1\n---\n", b"\t",
    b"\x00", b"\x1b[2J", b"\x9b31m", b"\xc2\x9b", b"\xe2\x80\xae", b"\xed\xa0\x80", b"\xff\xfe", b"\xef\xbb\xbf",
    b"{{ 7*7 }}", b"{% raw %}", b"\r\n", b"\n", b",", b'"', b"'", b"\\", b"..", b"/", b"%s", b"`", b"@", b"[@,@]",
    b"|", b"!", b"~(", b"&:", b"[0:9]", b"STARTTLS", b"250 ", b"421-", b"* OK", b"SP_PROT_", b"{LED=", b"#Fields: ",
    b"2026-01-05T07:57:37.000Z,", b",+,", b",-,", b",*,,", b"\x16\x03\x01\x00", b"\x0b\x00\x00", b"\x30\x80",
)  # fmt: skip
_LONGEST_REPEAT = 300
_Edit = Callable[[bytes], bytes]


@st.composite
def _edits(draw: st.DrawFn) -> _Edit:
    """One change, at a place that is told in parts of the whole, so that it fits every seed."""
    begin, length = draw(st.integers(0, 999)), draw(st.integers(0, 200))
    kind = draw(st.sampled_from(("cut", "repeat", "flip", "insert", "replace", "end")))
    token, number = draw(st.sampled_from(TOKENS)), draw(st.integers(1, 255))

    def edit(data: bytes) -> bytes:
        at = begin * (len(data) + 1) // 1000
        piece = data[at : at + length]
        made = {
            "cut": b"",
            "repeat": piece * min(number, _LONGEST_REPEAT // max(1, len(piece)) + 1),
            "flip": bytes([piece[0] ^ number]) + piece[1:] if piece else b"",
            "insert": token + piece,
            "replace": token,
            "end": piece,
        }[kind]
        return data[:at] + made + (b"" if kind == "end" else data[at + len(piece) :])

    return edit


def bytes_for(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Changed seeds for the most part; else tokens, and bytes of any kind."""

    def changed(seed: bytes, edits: list[_Edit]) -> bytes:
        for edit in edits:
            seed = edit(seed)
        return seed

    mutations = st.builds(changed, st.sampled_from(list(seeds)), st.lists(_edits(), min_size=1, max_size=4))
    words = st.lists(st.sampled_from(TOKENS) | st.binary(max_size=4), max_size=12).map(b"".join)
    return mutations | mutations | mutations | words | st.binary(max_size=100)
