# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers that are killed again and again: is what they have left ever more than the next run can finish?

Several small fleets side by side, each with a lab of its own, one of four at the end of a long line, where reads
overlap over several logins. In each, runs change all servers and go back, by turns; a run is killed at a request that
the seed chooses, and started again. One that comes to its end before that ends its turn, and what must be true then is
looked up in the lab: what the runs say of themselves counts for nothing.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import dataclasses
import itertools
import os
import pathlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable

from tests.integration import forked
from tests.lab.client import LabError
from tests.lab.launch import running_lab

from .chaos_fleet import JOBS, Fleet, Job, Violation, description

# Seconds that a run may take, and a server to be back.
LIMIT = 120
# A request beyond the last one of a run leaves it alone, which ends its turn. Early ones are chosen more often: a run
# that goes on after another is shorter.
EARLY = 1.5
MOST = {"server": 110, "entry": 160}
LATEST = 0.4


@dataclasses.dataclass(frozen=True)
class Way:
    """How a run ends at a request. quirks: what the lab does with that request, which it holds until then."""

    quirks: Callable[[int], dict[str, dict[str, object]]]
    pause: bool = False  # the request is answered, and the run goes on for a moment
    alone: bool = False  # the workers of ansible-playbook live on, and do what they were about to


WAYS = {
    "before it is carried out": Way(lambda n: {"hold": {"request": n}, "cut": {"request": n}}),
    "before it is answered": Way(lambda n: {"hold": {"request": n, "when": "after"}}),
    "after its answer": Way(lambda n: {"hold": {"request": n, "when": "after"}}, pause=True),
    "without its workers": Way(lambda n: {"hold": {"request": n}}, alone=True),
}


@dataclasses.dataclass(frozen=True)
class Moment:
    """When and how a run is killed."""

    host: str
    request: int
    way: str
    pause: float

    def __str__(self) -> str:
        moment = f"{self.way} ({self.pause:.3f} s)" if WAYS[self.way].pause else self.way
        return f"at request {self.request} to {self.host}, {moment}"


def choose(chance: random.Random, fleet: Fleet) -> Moment:
    """Always as many choices, so that what comes later does not depend on them."""
    host = chance.choice([*fleet.servers, fleet.entry])
    request = 1 + int(chance.random() ** EARLY * MOST["entry" if host == fleet.entry else "server"])
    way = chance.choice(list(WAYS))
    return Moment(host, request, way, chance.random() * LATEST)


class Story:
    """One fleet, from its first run to the last."""

    def __init__(self, seed: int, fleet: Fleet, told: Callable[[str], None]) -> None:
        self._chance = random.Random(seed)
        self._fleet = fleet
        self._told = told
        self._orphans: list[int] = []  # workers that were left alone
        self.killed = 0
        self.finished = 0
        self.moment = "before the first kill"

    def run(self, kills: int) -> None:
        """Raises Violation."""
        jobs = itertools.cycle(JOBS[self._fleet.phase])
        job = next(jobs)
        while self.killed < kills:
            if self._attempt(job, choose(self._chance, self._fleet)):
                job = next(jobs)
        # to its end, and back to what was there in the beginning
        self._attempt(job, None)
        if job.accepted is not None:
            self._attempt(next(jobs), None)

    def _attempt(self, job: Job, moment: Moment | None) -> bool:
        """Whether the job was done. Without a moment nothing disturbs it."""
        fleet = self._fleet
        fleet.wait_until_up(LIMIT)
        # on a long line they outlive the next run, if that is killed as well
        met = self._orphans = [pid for pid in self._orphans if forked.live(pid)]
        output = fleet.work / f"output-{self.killed}-{self.finished}.txt"
        host = fleet.lab.host(moment.host) if moment else None
        if host is not None and moment is not None:
            host.reset_log()
            for name, value in WAYS[moment.way].quirks(moment.request).items():
                host.set_quirk(name, value)
        with forked.begin(fleet.command(job), fleet.work, fleet.settings, {}, output) as run:
            held = self._await_hold(run, moment)
            if held is not None and moment is not None and host is not None:
                self.killed += 1
                self.moment = f"kill {self.killed}, {job.playbook}, {moment} ({held})"
                self._told(self.moment)
                self._kill(run, moment)
                if not WAYS[moment.way].alone:
                    run.wait(LIMIT)
            if host is not None:
                fleet.leave_alone(host)
            if held is None or (moment is not None and WAYS[moment.way].alone and self._chance.random() < 1 / 2):
                # half of the orphans are waited for; others are met by the next run
                code = run.wait(LIMIT)
            else:
                code = None
        fleet.check_events()
        if held is not None:
            return False
        if code and met:
            # it was told that another run is at work, which was true
            time.sleep(1)
            return False
        if code:
            raise Violation(f"{job.playbook}, which nothing disturbed, ended with {code}:\n{tail(output)}")
        fleet.check(job)
        self.finished += 1
        return True

    def _await_hold(self, run: forked.Started, moment: Moment | None) -> str | None:
        """The operation that the lab holds; None where the run ends before."""
        if moment is None:
            return None
        host, deadline = self._fleet.lab.host(moment.host), time.monotonic() + LIMIT
        while not run.has_ended():
            if held := host.held():
                return held[0]
            if time.monotonic() > deadline:
                run.kill()
                raise Violation("a run came to no end")
            time.sleep(0.03)
        return None

    def _kill(self, run: forked.Started, moment: Moment) -> None:
        if WAYS[moment.way].pause:
            self._fleet.lab.host(moment.host).set_quirk("hold", None)
            time.sleep(moment.pause)
        self._orphans = [*self._orphans, *run.kill(alone=WAYS[moment.way].alone)]


def tail(output: pathlib.Path, lines: int = 40) -> str:
    return "\n".join(output.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def story(seed: int, kills: int, say: Callable[[str], None]) -> tuple[int, int, str | None]:
    """Kills, jobs that were done, and what was violated."""
    with tempfile.TemporaryDirectory(prefix="exchange-tls-chaos-") as folder, contextlib.ExitStack() as stack:
        work = pathlib.Path(folder)
        phase = list(JOBS)[seed % len(JOBS)]
        lab = stack.enter_context(running_lab(description(phase), work / "lab"))
        fleet = Fleet(lab, work, phase, far=seed % 4 == 0)
        told = Story(seed, fleet, lambda line: say(f"seed {seed}: {line}"))
        try:
            told.run(kills)
        except (Violation, LabError) as exc:
            again = f'make chaos ARGS="--fleets 1 --seed {seed} --kills {max(told.killed, 1)}"'
            return told.killed, told.finished, f"seed {seed}: {exc}\nlast: {told.moment}\nto repeat it: {again}"
        return told.killed, told.finished, None


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="in all fleets together")
    parser.add_argument("--seed", type=int, default=1, help="of the first fleet; each other has the next one")
    parser.add_argument("--fleets", type=int, default=4)
    given = parser.parse_args()
    os.environ["PATH"] = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)))
    lock, started = threading.Lock(), time.monotonic()

    def say(line: str) -> None:
        with lock:
            print(f"{time.monotonic() - started:5.0f} s  {line}", flush=True)

    shares = [given.kills // given.fleets + (n < given.kills % given.fleets) for n in range(given.fleets)]
    with concurrent.futures.ThreadPoolExecutor(given.fleets) as pool:
        ended = list(pool.map(lambda n: story(given.seed + n, shares[n], say), range(given.fleets)))
    violations = [violated for _killed, _finished, violated in ended if violated]
    say(f"{sum(item[0] for item in ended)} kills, {sum(item[1] for item in ended)} jobs done, by {given.fleets} fleets")
    for violated in violations:
        print(f"\nVIOLATED: {violated}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
