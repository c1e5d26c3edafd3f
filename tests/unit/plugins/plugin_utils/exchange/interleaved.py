# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several sequences in one world, whose steps are made in any order."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .living import World


class Interleaved:
    """Runs several sequences in one world, one step of one of them at a time, in an order that ``choose`` makes: it is
    given the names of those that wait and returns one."""

    def __init__(self, world: World, choose: Callable[[list[int]], int]) -> None:
        self._choose = choose
        self._lock = threading.Lock()
        self._waiting: set[int] = set()
        self._ended: set[int] = set()
        self._turns: list[threading.Semaphore] = []
        self._mine = threading.local()
        world.turn = self._await

    def run(self, *jobs: Callable[[], None]) -> None:
        self._turns = [threading.Semaphore(0) for _job in jobs]
        threads = [
            threading.Thread(target=self._job, args=(number, job), daemon=True) for number, job in enumerate(jobs)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _job(self, number: int, job: Callable[[], None]) -> None:
        self._mine.number = number
        try:
            self._await("", "begins")
            job()
        finally:
            self._stands_still(number, self._ended)

    def _await(self, _server: str, _what: str) -> None:
        number = self._mine.number
        self._stands_still(number, self._waiting)
        self._turns[number].acquire()

    def _stands_still(self, number: int, where: set[int]) -> None:
        """Who comes last chooses, and wakes nobody but the chosen: there are tens of thousands of steps."""
        with self._lock:
            where.add(number)
            if self._waiting and len(self._waiting) + len(self._ended) == len(self._turns):
                chosen = self._choose(sorted(self._waiting))
                self._waiting.discard(chosen)
                self._turns[chosen].release()
