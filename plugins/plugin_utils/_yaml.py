# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""YAML of people, read no deeper than anything that they may write. Pure."""

from __future__ import annotations

import typing as t

import yaml


class ShallowLoader(yaml.SafeLoader):
    """Raises RecursionError for what is nested deeper than ``deepest``: PyYAML itself looks back from each bracket to
    all that are open, so that deep ones take long before it fails."""

    deepest: t.ClassVar[int]
    _depth = 0

    def compose_node(self, parent: t.Any, index: t.Any) -> t.Any:
        self._depth += 1
        if self._depth > self.deepest:
            raise RecursionError
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node
