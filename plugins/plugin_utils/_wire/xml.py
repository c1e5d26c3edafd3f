# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""XML from the network, parsed without trust.

SOAP 1.2 (part 1, section 5) forbids document type declarations, and without one there are no entities to expand,
so a DTD is refused as soon as it starts. Size and depth are limited as well.
"""

from __future__ import annotations

import codecs
import re
import typing as t
import xml.etree.ElementTree as ET

Element = ET.Element

# WinRM's default MaxEnvelopeSizekb is 500; encrypted and chunked overhead never gets near four times that.
MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 64

_ASCII = ("utf-8", "utf8", "us-ascii")  # as it is
_DECLARES = re.compile(rb"\s*<\?xml[^>]*\sencoding")


class XmlRefused(ValueError):
    """The text is not XML, or XML that no WS-Management service sends. The message says which."""


def parse(document: bytes, max_bytes: int = MAX_BYTES) -> Element:
    """Returns the root element; names are in ElementTree's ``{namespace}local`` form. Raises :class:`XmlRefused`."""
    if len(document) > max_bytes:
        raise XmlRefused(f"the answer is larger than {max_bytes} bytes")
    # what is refused is what makes it unsafe
    parser = ET.XMLParser(target=_Builder())  # noqa: S314
    try:
        parser.feed(document)
        root: Element = parser.close()
    except ET.ParseError as exc:
        raise XmlRefused(f"it is not well-formed XML ({exc})") from None
    except XmlRefused:
        raise
    except (LookupError, ValueError) as exc:
        # what Python says of encodings that expat does not know itself
        raise XmlRefused(f"its encoding cannot be read ({exc})") from None
    if _is_deep(root):
        raise XmlRefused(f"elements are nested deeper than {MAX_DEPTH}")
    return root


class _Builder(ET.TreeBuilder):
    """All but this is done in C."""

    def doctype(self, *_dummy: t.Any) -> t.NoReturn:
        raise XmlRefused("it holds a document type declaration, which SOAP forbids")


def _is_deep(root: Element) -> bool:
    level = [root]
    for _dummy in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True


def as_utf8(document: bytes, charset: str | None) -> bytes:
    """The document in UTF-8. ``charset`` is what an HTTP header says; the document's own word on it comes first."""
    name = (charset or "utf-8").lower()
    if document.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf_16"
    elif name in _ASCII or document.startswith(codecs.BOM_UTF8) or _DECLARES.match(document):
        return document
    elif name == "utf-16":
        # no mark: the zero bytes tell, since the first character is below 256
        name = "utf-16-be" if document[:1] == b"\0" else "utf-16-le"
    try:
        text = document.decode(name)
    except (LookupError, ValueError):
        return document  # the parser has the last word
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode("utf-8", "replace")


def local_name(element: Element) -> str:
    """The name without its namespace, in which alone versions differ (docs/reference/wsman.md 1.5, 1.6)."""
    return element.tag.rpartition("}")[2]


def child(element: Element | None, name: str) -> Element | None:
    """The first child with this local name."""
    if element is None:
        return None
    return next((item for item in element if local_name(item) == name), None)


def descendants(element: Element, name: str) -> t.Iterator[Element]:
    """All elements below with this local name, in document order."""
    return (item for item in element.iter() if local_name(item) == name)


def text(element: Element | None) -> str | None:
    """The stripped text of an element and all below it; None for no element, xsi:nil, or no text at all."""
    if element is None or is_nil(element):
        return None
    return " ".join("".join(element.itertext()).split()) or None


def is_nil(element: Element) -> bool:
    value = element.get("{http://www.w3.org/2001/XMLSchema-instance}nil", "")
    return value.strip().lower() in ("true", "1")
