# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options of the modules that write to the registry."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  backup_dir:
    description:
      - A folder on the controller for backups. It is made if it does not exist.
      - The previous values of everything that is about to be written go into a new file C(HOST.NUMBER.TIME.PURPOSE.json) with mode 0600
        before the first write. Nothing is written to the host if the file cannot be written; check mode finds that out as well.
      - The number is one more than the highest of the host in the folder, so that the order needs no clock, and several controllers may
        share a folder. It must not be open to everybody for writing.
      - A relative path counts from the directory that C(ansible-playbook) runs in. Jobs of AWX run in a container that is thrown away; mount a folder
        there and name it here.
    type: path
    default: exchange_tls_backups
  undo_on_failure:
    description:
      - When a write fails, whether the values that were written before it are put back. What ends the task from outside, such as the
        keyword C(timeout), puts nothing back.
      - Whatever happens, the result lists each change as V(written), V(not_written), V(put_back), or V(unknown) where the host
        could not be asked whether it carried the write out.
    type: bool
    default: true
"""
