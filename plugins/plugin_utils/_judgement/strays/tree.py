# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The keys below SCHANNEL\\Protocols, each with what it means or was probably meant to mean. Pure.

Windows opens fixed names and compares them without regard to case; blanks, commas and look-alike letters count
(docs/reference/schannel.md 1.2). What has another name, or stands in another place, has no effect.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._schannel.names import fold, same
from ..._schannel.protocols import PROTOCOLS_KEY, SIDES, TLS12, VALUE_NAMES, protocol_key
from ..._schannel.snapshot import Setting, Snapshot
from ..._schannel.values import Type
from .names import NOTHING, WINDOWS_PROTOCOLS, Guess, Reason, may_be_a_word, recognize, value_of
from .types import Held, Kind, Meant, Stray

# Levels below Protocols that are looked into: protocol, side, and keys below a side.
DEPTH = 3
# Stray keys that are looked into: somebody's script can leave thousands, each of which costs three requests.
KEYS = 100
# Sides that are all looked into; where there are more, only TLS 1.2 is. Windows Server 2016 as it comes has one, and
# the three versions of TLS that people configure have two each. It does not matter what is in them: what is found must
# not depend on whether the right values are beside it.
SIDES_AT_MOST = 7


# --- finding ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Node:
    """A key at or below Protocols. ``kind`` is None for a key that has the right name for where it is.

    ``real``: Windows looks at this key. ``meant`` is what a right key in its place would be, with its own name or not.
    ``closely``: what is in it is looked for and judged.
    """

    key: str
    level: int
    real: bool
    meant: Meant = dataclasses.field(default_factory=Meant)
    kind: Kind | None = None
    reason: Reason = Reason.PLACE
    closely: bool = False
    children: list[Node] = dataclasses.field(default_factory=list)

    def walk(self) -> t.Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()


def tree(snapshot: Snapshot) -> Node:
    """All listed keys down to DEPTH. Level by level: elimination needs all names of a level, in whatever key."""
    root = Node(PROTOCOLS_KEY, 0, real=True)
    level = [root]
    strays = 0
    while level and level[0].level < DEPTH:
        next_level: list[Node] = []
        leftover: list[Node] = []
        for parent in level:
            for name in snapshot.subkeys.get(fold(parent.key), ()):
                child = _child(parent, name)
                parent.children.append(child)
                next_level.append(child)
                if child.reason is Reason.UNRECOGNIZED and child.kind is Kind.UNKNOWN_SIDE and may_be_a_word(name):
                    leftover.append(child)
        _eliminate_sides(root, leftover, snapshot)
        for node in next_level:
            # the upper ones first: what is found further down later takes nothing from them
            strays += not node.real
            node.closely = not node.real and strays <= KEYS
        level = next_level
    chosen = set(map(fold, looked_into(snapshot)))
    for node in root.walk():
        node.closely = node.closely or fold(node.key) in chosen
    return root


def looked_into(snapshot: Snapshot) -> tuple[str, ...]:
    """The keys of Windows' own in which strays are looked for: Protocols, and what is there of protocols and sides;
    where there are many sides, those of TLS 1.2."""
    there = [protocol for protocol in WINDOWS_PROTOCOLS if snapshot.key_exists(protocol_key(protocol))]
    sides = {
        protocol: [key for side in SIDES if snapshot.key_exists(key := protocol_key(protocol, side))]
        for protocol in there
    }
    if sum(map(len, sides.values())) > SIDES_AT_MOST:
        return tuple(sides.get(TLS12) or ())
    root = (PROTOCOLS_KEY,) if snapshot.key_exists(PROTOCOLS_KEY) else ()
    return (*root, *(key for protocol in there for key in (protocol_key(protocol), *sides[protocol])))


def _child(parent: Node, name: str) -> Node:
    known, kind = _expected(parent)
    node = Node(f"{parent.key}\\{name}", parent.level + 1, real=False)
    exact = same(name, known)
    if exact:
        node.real = parent.real
        node.meant = Meant(exact) if parent.level == 0 else dataclasses.replace(parent.meant, sides=(exact,))
        return node
    match = recognize(name)
    node.kind = Kind.VALUE_AS_KEY if match.value else kind
    node.reason = match.reason
    node.meant = _within(parent, match)
    return node


def _expected(parent: Node) -> tuple[tuple[str, ...], Kind]:
    """The right names for keys below this one, and what any other is."""
    if parent.level == 0:
        return WINDOWS_PROTOCOLS, Kind.UNKNOWN_PROTOCOL
    meant = parent.meant
    if meant.sides or meant.value or (parent.level > 1 and not meant.protocol):
        return (), Kind.UNKNOWN_KEY
    return SIDES, Kind.UNKNOWN_SIDE


def _within(parent: Node, match: Guess) -> Meant:
    """What a name means in a key: what it says itself comes first."""
    above = parent.meant
    if match.protocol:
        return Meant(match.protocol, (match.side,) if match.side else ())
    if match.side:
        return Meant(above.protocol, (match.side,))
    if match.value:
        # in the key of a protocol it was meant for the sides
        known = above.sides or (SIDES if above.protocol and parent.reason is not Reason.UNRECOGNIZED else ())
        return Meant(above.protocol, known, match.value)
    return above


def _eliminate_sides(root: Node, leftover: t.Sequence[Node], snapshot: Snapshot) -> None:
    """Names that no rule knows, below a protocol: they can only mean a side that is neither there nor meant already."""
    for protocol in WINDOWS_PROTOCOLS:
        nodes = [node for node in leftover if node.meant.protocol == protocol]
        if not nodes:
            continue
        taken = {
            node.meant.sides[0]
            for node in root.walk()
            if node.meant.protocol == protocol and len(node.meant.sides) == 1
        }
        key = protocol_key(protocol)
        all_seen = fold(key) in snapshot.subkeys or snapshot.key_exists(key) is False
        left = tuple(side for side in SIDES if side not in taken)
        if all_seen and (len(left) == 2 or (len(left) == 1 and len(nodes) == 1)):
            for node in nodes:
                node.meant = Meant(protocol, left)
                node.reason = Reason.ELIMINATION


def strays_in(node: Node, snapshot: Snapshot) -> t.Iterator[Stray]:
    """The strays of a tree, this key first."""
    if node.kind is not None:
        if not node.closely:
            return
        meant = None if node.reason is Reason.UNRECOGNIZED else node.meant
        holds = tuple(held for inner in _buried(node) for held in _held(inner, snapshot))
        yield Stray(node.kind, node.key, None, meant, node.reason, holds)
    elif node.real and node.closely:
        for held in _held(node, snapshot):
            name = held.setting.name
            if node.level == 2:
                kind = Kind.UNKNOWN_VALUE if name else Kind.DEFAULT_VALUE
            else:
                kind = Kind.VALUE_ON_PROTOCOL if name else Kind.DEFAULT_VALUE
            meant = None if held.reason is Reason.UNRECOGNIZED else held.meant
            yield Stray(kind, node.key, name, meant, held.reason, (held,))
    for child in node.children:
        yield from strays_in(child, snapshot)


def _buried(node: Node) -> t.Iterator[Node]:
    """A stray key and the keys below it that have the right names, down to the next stray key."""
    yield node
    for child in node.children:
        if child.kind is None:
            yield from _buried(child)


def _held(node: Node, snapshot: Snapshot) -> list[Held]:
    """The values of a key that Windows ignores: all but the two real ones of a real side."""
    types = value_types(node.key, snapshot)
    matches = {name: _value_match(node, name) for name in types}
    nameless = [
        name
        for name, match in matches.items()
        if match is NOTHING
        and may_be_a_word(name)
        and types[name] is Type.REG_DWORD
        and node.meant.sides
        and not node.meant.value
    ]
    left = [value for value in VALUE_NAMES if value not in {match.value for match in matches.values()}]
    if len(nameless) == 1 and len(left) == 1:
        matches[nameless[0]] = Guess(Reason.ELIMINATION, value=left[0])
    ignored = [name for name in types if not (node.real and node.level == 2 and same(name, VALUE_NAMES))]
    return [
        Held(
            Setting(node.key, name),
            types[name],
            snapshot.values.get(Setting(node.key, name)),
            _within(node, matches[name]),
            matches[name].reason,
        )
        for name in ignored
    ]


def value_types(key: str, snapshot: Snapshot) -> dict[str, Type]:
    """Names and types of the values of a key: those listed, and the default value, which Windows may leave out."""
    types = dict(snapshot.listed.get(fold(key), {}))
    default = snapshot.values.get(Setting(key, ""))
    if default and default.type and "" not in types:
        types[""] = default.type
    return types


def _value_match(node: Node, name: str) -> Guess:
    if not name:
        # the default value of a key that is named like a value was meant to be that value
        return Guess(Reason.PLACE, value=node.meant.value) if node.meant.value else NOTHING
    if node.meant.sides:
        return value_of(name) or NOTHING
    return value_of(name) or recognize(name)
