# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What repeated connections prove, on servers that are only imagined."""

from __future__ import annotations

import collections
import collections.abc as c
import random

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake import _case
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._case import Case, Job
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import (
    Answer,
    Ending,
    Flight,
    FullHandshake,
    Probe,
    TlsVersion,
)

S30, V10, V11, V12, V13 = TlsVersion
World = c.Callable[[Job, bool], Probe | FullHandshake]


def accepts(version: TlsVersion) -> Probe:
    return Probe(
        version, Answer.ACCEPTED, "yes", flight=Flight(Answer.ACCEPTED, "yes", certificates=(b"x",), heard=True)
    )


def breaks_off(version: TlsVersion, how: str = "reset") -> Probe:
    return Probe(version, Answer.REJECTED, how, flight=Flight(Answer.REJECTED, how))


def spells_out(version: TlsVersion) -> Probe:
    flight = Flight(Answer.REJECTED, "alert protocol_version", heard=True, spelt_out=True)
    return Probe(version, Answer.REJECTED, flight.evidence, flight=flight)


def turned_away(version: TlsVersion) -> Probe:
    return Probe(version, Answer.STARTTLS_REFUSED, "421 too many", whole_endpoint=True)


class Run:
    """All rounds of one endpoint."""

    def __init__(self, world: World, required: c.Collection[TlsVersion] = (V12,)) -> None:
        case = Case(TlsVersion, required)
        self.hellos: collections.Counter[TlsVersion] = collections.Counter()
        self.rounds: list[tuple[bool, int]] = []
        for alone in (False, True):
            while jobs := case.next_round(alone=alone):
                self.rounds.append((alone, len(jobs)))
                assert len(self.rounds) < 60
                for job in jobs:
                    self.hellos[job.version] += job.hello is None
                    case.take(job, world(job, alone))
        self.found = {version: case.result(version) for version in TlsVersion}

    @property
    def answers(self) -> dict[TlsVersion, Answer]:
        return {version: probe.answer for version, probe in self.found.items()}


def schannel(on: c.Collection[TlsVersion], share: float = 0, chance: random.Random | None = None) -> World:
    """Resets what is off, and loses a share of the connections."""

    def world(job: Job, _alone: bool) -> Probe | FullHandshake:
        through = job.version in on and not (chance and chance.random() < share)
        if job.hello is not None:
            return FullHandshake(completed=True) if through else FullHandshake(completed=False, stopped=Ending.RESET)
        return accepts(job.version) if through else breaks_off(job.version)

    return world


def test_windows_is_asked_two_times_more_for_what_it_refuses() -> None:
    run = Run(schannel({V12}))
    assert {run.answers[version] for version in (S30, V10, V11, V13)} == {Answer.REJECTED}
    assert {run.hellos[version] for version in (S30, V10, V11, V13)} == {3}
    # nothing of it waits for one connection at a time
    assert not any(alone for alone, _count in run.rounds)
    assert sum(count for _alone, count in run.rounds) < 30


def test_a_server_that_spells_its_refusals_out_is_asked_once() -> None:
    run = Run(
        lambda job, _alone: (
            FullHandshake(completed=True) if job.hello else (accepts if job.version is V12 else spells_out)(job.version)
        )
    )
    assert set(run.hellos.values()) == {1}
    assert Answer.UNSTEADY not in run.answers.values()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("on", [{V10, V11, V12}, {V12}, set(TlsVersion)])
def test_lost_connections_are_practically_never_a_refusal(share: float, on: set[TlsVersion]) -> None:
    chance = random.Random(20260301)
    inconclusive = false = 0
    for _dummy in range(400):
        answers = Run(schannel(on, share, chance)).answers
        told = set(answers.values()) <= {Answer.ACCEPTED, Answer.REJECTED} and Answer.ACCEPTED in answers.values()
        inconclusive += not told
        false += told and any(answers[version] is Answer.REJECTED for version in on)
        assert not any(answers[version] is Answer.ACCEPTED for version in answers if version not in on)
    # less than one in a thousand, by calculation
    assert false <= 2
    # and mostly the truth is found
    assert inconclusive < 0.15 * 400


def test_one_acceptance_outweighs_all_else() -> None:
    seen = {V10: [breaks_off(V10), breaks_off(V10), accepts(V10)]}

    def world(job: Job, alone: bool) -> Probe | FullHandshake:
        mine = seen.get(job.version)
        return mine.pop(0) if mine and job.hello is None else schannel({V10, V12})(job, alone)

    assert Run(world).answers[V10] is Answer.ACCEPTED


@pytest.mark.parametrize("other", [Answer.TIMEOUT, Answer.INCOMPLETE, Answer.NOT_TLS])
def test_a_mixture_is_no_refusal(other: Answer) -> None:
    count = collections.Counter[TlsVersion]()

    def world(job: Job, alone: bool) -> Probe | FullHandshake:
        if job.version is V10:
            count[V10] += 1
            if count[V10] == 2:
                return Probe(V10, other, "odd", flight=Flight(other, "odd"))
        return schannel({V12})(job, alone)

    assert Run(world).answers[V10] is other


def test_silence_is_no_refusal_however_often() -> None:
    def world(job: Job, alone: bool) -> Probe | FullHandshake:
        if job.version in (S30, V10, V11):
            return Probe(job.version, Answer.TIMEOUT, "silence", flight=Flight(Answer.TIMEOUT, "silence"))
        return schannel({V12})(job, alone)

    run = Run(world)
    assert {run.answers[version] for version in (S30, V10, V11)} == {Answer.TIMEOUT}
    # one of them is tried again, for all
    assert sum(run.hellos[version] for version in (S30, V10, V11)) == 4


def test_two_of_three_connections_lost_is_too_much_to_tell_anything() -> None:
    calls = collections.Counter[TlsVersion]()

    def world(job: Job, _alone: bool) -> Probe | FullHandshake:
        calls[job.version] += 1
        if job.version is V12 and calls[V12] % 3 == 1:
            return FullHandshake(completed=True) if job.hello else accepts(V12)
        return FullHandshake(completed=False, stopped=Ending.RESET) if job.hello else breaks_off(job.version)

    run = Run(world)
    assert run.answers[V10] is Answer.UNSTEADY
    assert "connections that should have got through were lost" in run.found[V10].evidence
    assert run.hellos[V10] <= 1 + _case.MANY + 2


def test_what_fails_beside_others_is_tried_alone() -> None:
    def world(job: Job, alone: bool) -> Probe | FullHandshake:
        if not alone and job.version is not V12:
            return turned_away(job.version)
        return schannel({V10, V12})(job, alone)

    run = Run(world)
    assert run.answers == {S30: Answer.REJECTED, V10: Answer.ACCEPTED, V11: Answer.REJECTED, V12: Answer.ACCEPTED,
                           V13: Answer.REJECTED}  # fmt: skip


def test_a_server_that_turns_everybody_away_is_asked_three_times() -> None:
    run = Run(lambda job, _alone: turned_away(job.version))
    assert run.hellos == {V12: 3}
    assert run.answers == dict.fromkeys(TlsVersion, Answer.SKIPPED) | {V12: Answer.STARTTLS_REFUSED}


@pytest.mark.parametrize("answer", [Answer.REFUSED, Answer.UNRESOLVED, Answer.NO_STARTTLS, Answer.TIMEOUT])
def test_what_will_not_change_is_asked_once(answer: Answer) -> None:
    run = Run(lambda job, _alone: Probe(job.version, answer, "no", whole_endpoint=True))
    assert run.hellos == {V12: 1}


def test_close_and_reset_are_the_same_refusal() -> None:
    """Which of them a client sees is a race."""
    ends = ["close", "reset", "close", "reset"]

    def world(job: Job, alone: bool) -> Probe | FullHandshake:
        if job.version is V10 and job.hello is None:
            return breaks_off(V10, ends.pop())
        return schannel({V12})(job, alone)

    found = Run(world).found[V10]
    assert (found.answer, found.evidence, found.tries) == (Answer.REJECTED, "close or reset", 3)


def test_without_time_nothing_is_known() -> None:
    case = Case([V10, V12], [V12])
    assert {case.result(version).answer for version in (V10, V12)} == {Answer.TIMEOUT}
    [job] = case.next_round(alone=False)
    case.take(job, accepts(V12))
    assert case.result(V10).evidence == "not finished: the time for all probes of this host is used up"
    case.take(Job(V10), breaks_off(V10))
    # once is not enough
    assert case.result(V10).answer is Answer.UNSTEADY
