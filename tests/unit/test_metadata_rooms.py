# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms of plugin_utils: who may import whom, and which of them know a library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gates import _tests
from tests.unit import _metadata

UTILS = _metadata.PLUGINS / "plugin_utils"
# What every room may use: errors, texts for people, how people name things, what they see of a wait, and
# how their YAML is read.
GROUND = frozenset({"_errors", "_progress", "_role", "_text", "_yaml"})
# All imports from room to room. They lead down: who comes later imports from who came before.
ARROWS: dict[str, frozenset[str]] = {
    "_schannel": frozenset(),
    "_handshake": frozenset(),
    "_mailflow": frozenset(),
    "_wire": frozenset(),
    "_policy": frozenset({"_schannel"}),
    "_judgement": frozenset({"_mailflow", "_policy", "_schannel"}),
    "_report": frozenset({"_judgement", "_policy", "_schannel"}),
    "_windows": frozenset({"_schannel", "_wire"}),
    "_change": frozenset({"_policy", "_schannel", "_windows"}),
    "_exchange": frozenset({"_mailflow", "_policy", "_schannel", "_windows", "_wire"}),
    "_transport": frozenset({"_exchange", "_wire"}),
    "_tasks": frozenset(
        {"_change", "_exchange", "_handshake", "_judgement", "_mailflow", "_policy", "_report", "_schannel"}
        | {"_windows", "_wire"}
    ),
}
# The one room that knows the libraries of the connection plugins, and theirs.
LIBRARIES = ("ansible", "requests", "urllib3", "winrm", "pypsrp", "spnego", "gssapi", "krb5", "psrpcore")
KNOWS_LIBRARIES = "_transport"


def _files(room: str) -> list[Path]:
    return sorted((UTILS / room).rglob("*.py"))


def _rooms_of(room: str) -> set[str]:
    """The other rooms, and the files beside them, that the files of a room import."""
    found = set()
    for path in _files(room):
        for name in _metadata.imported(path):
            below = name.removeprefix("plugins.plugin_utils.")
            if below != name:
                found.add(below.partition(".")[0])
    return found - {room}


def test_every_folder_is_a_room() -> None:
    folders = {path.name for path in UTILS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ARROWS)


def test_arrows_lead_down() -> None:
    known: set[str] = set()
    for room, below in ARROWS.items():
        assert below <= known, room
        known.add(room)


@pytest.mark.parametrize("room", ARROWS)
def test_rooms_import_along_the_arrows(room: str) -> None:
    """No other ones, and no arrow that nobody needs any more."""
    assert _rooms_of(room) - GROUND == ARROWS[room]


def test_the_ground_imports_no_room() -> None:
    for name in GROUND:
        imported = _metadata.imported(UTILS / f"{name}.py")
        assert {item for item in imported for room in ARROWS if f".{room}" in f".{item}"} == set(), name


@pytest.mark.parametrize("room", ARROWS)
def test_one_room_knows_libraries(room: str) -> None:
    heads = {name.partition(".")[0] for path in _files(room) for name in _metadata.imported(path)}
    assert bool(heads & set(LIBRARIES)) == (room == KNOWS_LIBRARIES)


def test_all_other_rooms_are_tested_without_libraries() -> None:
    """`make test` runs them where none of these can be imported."""
    tested = {Path(folder).name for folder in _tests.pure_rooms()}
    assert tested == {room.strip("_") for room in ARROWS if room != KNOWS_LIBRARIES}
