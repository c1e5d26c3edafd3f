# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Which Exchange a version number means, and whether it is current, by a table that has a date. Pure.

The table is data in ``_builds_data.json``. A build that is newer than all it knows is just that, and never out of date:
the table grows older than the servers. Versions compare as numbers, whatever zeros they are written with.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
import pathlib
import re
import typing as t

Version = tuple[int, ...]

_FILE = pathlib.Path(__file__).parent / "_builds_data.json"
# "15.02.0922.013" of a file, or "Version 15.2 (Build 986.5)" of AdminDisplayVersion
_FILE_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)
_DISPLAY_VERSION = re.compile(r"Version (\d{1,9})\.(\d{1,9}) \(Build (\d{1,9})\.(\d{1,9})\)", re.ASCII)


def parse(text: str) -> Version | None:
    """The four numbers of a file's version or of AdminDisplayVersion; None where it is neither."""
    match = _FILE_VERSION.fullmatch(text.strip()) or _DISPLAY_VERSION.fullmatch(text.strip())
    return tuple(map(int, match.groups())) if match else None


def shown(version: Version) -> str:
    """``15.2.1748.10``."""
    return ".".join(map(str, version))


@dataclasses.dataclass(frozen=True)
class Update:
    """A cumulative update, or a security update of one."""

    name: str
    build: Version


@dataclasses.dataclass(frozen=True)
class CumulativeUpdate(Update):
    """``updates``: what came for it, oldest first."""

    updates: tuple[Update, ...]

    @property
    def newest(self) -> Update:
        return self.updates[-1] if self.updates else self


@dataclasses.dataclass(frozen=True)
class Product:
    """``line``: the numbers with which its versions begin, or from which on they are its own. ``tls12``: its first
    build that can do TLS 1.2; ``old_tls_off``: the first that needs no older one. ``supported``: the cumulative updates
    that still got security updates when the table was made."""

    name: str
    line: Version
    tls12: Version
    old_tls_off: Version
    support_ends: datetime.date
    supported: frozenset[str]
    cumulative_updates: tuple[CumulativeUpdate, ...]

    @property
    def newest(self) -> CumulativeUpdate:
        return self.cumulative_updates[-1]

    def first_from(self, minimum: Version) -> str:
        """What people install to have at least that version: ``Exchange 2016 CU8``."""
        found = next((item for item in self.cumulative_updates if item.build >= minimum), self.newest)
        return f"{self.name} {found.name}"


@dataclasses.dataclass(frozen=True)
class Table:
    """``date``: what came later is not in it."""

    date: datetime.date
    products: tuple[Product, ...]


@functools.lru_cache(maxsize=1)
def table() -> Table:
    """The table that comes with the collection."""
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    return Table(datetime.date.fromisoformat(data["date"]), tuple(map(_product, data["products"])))


def _product(data: t.Mapping[str, t.Any]) -> Product:
    return Product(
        name=data["name"],
        line=_version(data["line"]),
        tls12=_version(data["tls12"]),
        old_tls_off=_version(data["old_tls_off"]),
        support_ends=datetime.date.fromisoformat(data["support_ends"]),
        supported=frozenset(data["supported"]),
        cumulative_updates=tuple(
            CumulativeUpdate(
                item["name"],
                _version(item["build"]),
                tuple(
                    sorted(
                        (Update(name, _version(build)) for name, build in item["updates"].items()),
                        key=lambda update: update.build,
                    )
                ),
            )
            for item in data["cumulative_updates"]
        ),
    )


def _version(text: str) -> Version:
    return tuple(map(int, text.split(".")))


@dataclasses.dataclass(frozen=True)
class Build:
    """What a version number means. ``product`` is None where the table has none of that kind, ``cumulative_update``
    where the version is of none that the table has."""

    version: Version
    product: Product | None = None
    cumulative_update: CumulativeUpdate | None = None
    security_update: str | None = None

    @property
    def name(self) -> str:
        """``Exchange 2019 CU15 Feb26SU``; with the number where the table does not have this very build."""
        if self.product is None:
            return f"Exchange {shown(self.version)}"
        update = self.cumulative_update
        parts = [self.product.name, update.name if update else None, self.security_update]
        is_listed = update is not None and (self.security_update is not None or self.version == update.build)
        return " ".join(filter(None, [*parts, None if is_listed else f"({shown(self.version)})"]))

    @property
    def newer_than_table(self) -> bool:
        """Whether it came after the table was made."""
        if self.product is None:
            return self._newer_than_all
        return self.version > self._wanted(self.product).newest.build

    def _wanted(self, product: Product) -> CumulativeUpdate:
        """What it would have its next update of: its cumulative update as long as that is supported, else the newest
        of its product."""
        return self.cumulative_update if self.cumulative_update and self.supported else product.newest

    @property
    def _newer_than_all(self) -> bool:
        return self.version > max(product.newest.newest.build for product in table().products)

    @property
    def supported(self) -> bool | None:
        """Whether its cumulative update still got security updates when the table was made; None where it is newer."""
        if self.product is None:
            return None if self._newer_than_all else False
        if self.cumulative_update is None:
            return None if self.version > self.product.newest.newest.build else False
        return self.cumulative_update.name in self.product.supported

    @property
    def newest(self) -> str | None:
        """The newest build that is known for it, where it is older than that."""
        if self.product is None or self.newer_than_table:
            return None
        wanted = self._wanted(self.product)
        newest = wanted.newest
        if self.version >= newest.build:
            return None
        names = dict.fromkeys((self.product.name, wanted.name, newest.name))
        return f"{' '.join(names)} ({shown(newest.build)})"

    @property
    def has_tls12(self) -> bool:
        """Whether all of it can do TLS 1.2."""
        return self._newer_than_all if self.product is None else self.version >= self.product.tls12

    @property
    def does_without_old_tls(self) -> bool:
        """Whether TLS 1.0 and 1.1 may be turned off."""
        return self._newer_than_all if self.product is None else self.version >= self.product.old_tls_off


def identify(version: Version) -> Build:
    """What the table says of a version."""
    fitting = [product for product in table().products if _is_of(version, product)]
    if not fitting:
        return Build(version)
    product = fitting[-1]
    below = [item for item in product.cumulative_updates if item.build <= version]
    # an update of a cumulative one has its first three numbers; what the table does not have does not
    if not below or version[:3] != below[-1].build[:3]:
        return Build(version, product)
    update = next((item.name for item in below[-1].updates if item.build == version), None)
    return Build(version, product, below[-1], update)


def _is_of(version: Version, product: Product) -> bool:
    """By its first two numbers, or one; where a line has three, from the third on (SE goes on where 2019 ends)."""
    family = product.line[:2]
    return version[: len(family)] == family and version[: len(product.line)] >= product.line
