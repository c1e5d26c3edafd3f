# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What all modules that run on the controller alone have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller
    support: full
    details: All of it runs on the controller.
  async:
    description: Supports being used with the C(async) keyword
    support: none
  become:
    description: Is usable alongside become keywords
    support: none
  delegation:
    description: Can be used in conjunction with delegate_to and related keywords
    support: full
    details: It runs on the controller whichever host it is delegated to.
"""
