# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What is known about one endpoint, what that proves, and what to try next. Pure: no socket, no clock, no thread.

Windows refuses a version by a reset, and a lost connection looks the same. So a version that was broken off without a
word is asked for again, and how often connections are lost is learned from versions that this server does answer. It
is refused once the chance that all of its hellos were lost is less than :data:`DOUBT`. One acceptance outweighs that.
"""

from __future__ import annotations

import collections.abc as c
import dataclasses

from ._words import Answer, Ending, FullHandshake, Probe, TlsVersion

DOUBT = 1 / 5000
# hellos for a version that is broken off: where no connection was ever lost, and where some were
FEW, MANY = 3, 12
# connections that must have got through, with none lost, for FEW to be enough: (1 / 18) ** FEW < DOUBT
STEADY = 16

# The likeliest first: it is the scout that goes ahead of the others.
_ORDER = (TlsVersion.TLS_1_2, TlsVersion.TLS_1_3, TlsVersion.TLS_1_1, TlsVersion.TLS_1_0, TlsVersion.SSL_3_0)

# Ends before the ClientHello that a second connection may not meet: a server that is busy, or counts its clients.
_PASSING = (Answer.CLOSED_EARLY, Answer.STARTTLS_REFUSED)
# After these a required version is also tried with ssl: it may know better than our hello.
_WORTH_A_TRY = (Answer.ACCEPTED, Answer.REJECTED, Answer.INCOMPLETE)

_OUT_OF_TIME = "not finished: the time for all probes of this host is used up"


@dataclasses.dataclass(frozen=True)
class Job:
    """One connection to make: a hello, or a full handshake after the hello that is given."""

    version: TlsVersion
    hello: Probe | None = None


class Case:
    """The connections to one endpoint so far. Hand each one's outcome to :meth:`take`."""

    def __init__(self, versions: c.Collection[TlsVersion], required: c.Collection[TlsVersion]) -> None:
        self.versions = [version for version in _ORDER if version in versions or version in required]
        self._required = required
        self._hellos: dict[TlsVersion, list[Probe]] = {version: [] for version in self.versions}
        self._fulls: dict[TlsVersion, list[FullHandshake]] = {version: [] for version in self.versions}
        self._alone = False
        # what :meth:`_counted` says of the time before one connection at a time, if that counts no more
        self._before = (0, 0)

    def take(self, job: Job, outcome: Probe | FullHandshake) -> None:
        if isinstance(outcome, Probe):
            self._hellos[job.version].append(outcome)
        else:
            self._fulls[job.version].append(outcome)

    # what to try next

    def next_round(self, *, alone: bool) -> list[Job]:
        """What to try when all earlier jobs are done; nothing is left to try where it is empty.

        ``alone``: one connection at a time. What others may have disturbed waits for that.
        """
        if alone and not self._alone:
            self._alone = True
            self._begin_anew()
        scout, *others = self.versions
        first = self._hellos[scout]
        if not first:
            return [Job(scout)]
        if not self._reached(scout):
            again = alone and first[-1].answer in _PASSING and len(first) < FEW
            return [Job(scout)] if again else []
        if self._silent(scout) and not self._heard(scout):
            # a server that says nothing to the scout would let the others wait as long
            return []
        untried = [Job(version) for version in others if not self._hellos[version]]
        return [*untried, *self._completions(all_told=not untried), *([] if untried else self._again())]

    def _begin_anew(self) -> None:
        """Where connections were lost, maybe to each other: only clear answers stay, and lost ones are counted anew."""
        if self._health()[1]:
            for hellos in self._hellos.values():
                hellos[:] = [probe for probe in hellos if _answer(probe) or probe.answer is Answer.TIMEOUT]
            for fulls in self._fulls.values():
                fulls[:] = [full for full in fulls if not _lost(full)]
            self._before = self._counted()

    def _completions(self, *, all_told: bool) -> c.Iterator[Job]:
        """Full handshakes: for the required versions, and for TLS 1.3 where nothing else shows the certificate."""
        certificates = any(probe.flight and probe.flight.certificates for probe in self._all())
        for version in self.versions:
            hello = self._best(version)
            hidden = all_told and not certificates and version is TlsVersion.TLS_1_3 and _accepted(hello)
            if hello is None or hello.answer not in _WORTH_A_TRY or not (version in self._required or hidden):
                continue
            fulls = self._fulls[version]
            again = self._alone and _accepted(hello) and len(fulls) < FEW and all(map(_lost, fulls))
            if again or not fulls:
                yield Job(version, hello)

    def _again(self) -> list[Job]:
        steady, lost = self._health()
        if not self._alone and (lost or not steady):
            return []
        doubtful = [version for version in self.versions if self._broken_off(version) and not self._proven(version)]
        limit = MANY if lost and steady else FEW
        jobs = [Job(version) for version in doubtful if len(self._hellos[version]) < limit]
        control = self._control()
        if control and (jobs or (doubtful and not lost)):
            jobs += [Job(control)] * (1 if lost else min(STEADY - steady, STEADY // 2))
        return jobs + (self._unanswered() if self._alone else [])

    def _unanswered(self) -> list[Job]:
        """Versions that got no clear answer, though maybe only because there were other connections."""
        jobs = []
        silent = [version for version in self.versions if self._silent(version)]
        for version in self.versions:
            probe = self._best(version)
            if probe is None or version in silent or _accepted(probe) or self._broken_off(version):
                continue
            if (probe.answer is Answer.INCOMPLETE or probe.whole_endpoint) and len(self._hellos[version]) < FEW:
                jobs.append(Job(version))
        # Silence costs a whole timeout each: where it stays for one version, it stays for the others.
        if silent and self._control() and all(len(self._hellos[version]) == 1 for version in silent):
            jobs.append(Job(silent[0]))
        return jobs

    def _control(self) -> TlsVersion | None:
        """A version that this server has given a clear answer to, so that a break-off of it is a lost connection."""
        known = [version for version in self.versions if self._answered(version)]
        accepted = [version for version in known if _accepted(self._best(version))]
        return next(iter(accepted + known), None)

    # what is known

    def result(self, version: TlsVersion) -> Probe:
        """What the connections show of this version, as one probe."""
        scout = self._hellos[self.versions[0]]
        probe = self._best(version)
        if probe is None:
            if not scout or (self._reached(self.versions[0]) and not self._silent(self.versions[0])):
                return Probe(version, Answer.TIMEOUT, _OUT_OF_TIME)
            return Probe(version, Answer.SKIPPED, f"not tried after {scout[-1].evidence}", address=scout[-1].address)
        probe = dataclasses.replace(probe, tries=len(self._hellos[version]))
        if self._broken_off(version):
            return self._judged(probe)
        return self._completed(probe)

    def _judged(self, probe: Probe) -> Probe:
        hellos = [item for item in self._hellos[probe.version] if not item.whole_endpoint]
        evidence = " or ".join(sorted({item.evidence for item in hellos}))
        # a server that answered nothing at all proves nothing anyway, and is judged as a whole
        steady, lost = self._health()
        if not steady or self._proven(probe.version):
            return self._completed(dataclasses.replace(probe, evidence=evidence))
        if lost:
            evidence += f"; {lost} of {lost + steady} connections that should have got through were lost"
        return self._completed(dataclasses.replace(probe, answer=Answer.UNSTEADY, evidence=evidence))

    def _completed(self, probe: Probe) -> Probe:
        """With the best of its full handshakes. A success proves the version, whatever the hellos were told."""
        fulls = self._fulls[probe.version]
        if not fulls:
            return probe
        full = next((item for item in fulls if item.completed), fulls[-1])
        probe = dataclasses.replace(probe, full=full)
        if full.completed:
            evidence = "full handshake"
            if not _accepted(probe):
                evidence += f", though the first ClientHello was answered with: {probe.evidence}"
            return dataclasses.replace(probe, answer=Answer.ACCEPTED, evidence=evidence)
        asks = bool(probe.flight and probe.flight.client_certificate_requested)
        if _accepted(probe) and full.broken_off and not asks:
            evidence = f"{probe.evidence}, but the full handshake ended with: {full.error}"
            return dataclasses.replace(probe, answer=Answer.INCOMPLETE, evidence=evidence)
        return probe

    def _proven(self, version: TlsVersion) -> bool:
        steady, lost = self._health()
        # Laplace's rule of succession: how likely the next connection is lost
        chance = (lost + 1) / (steady + lost + 2)
        refusals = sum(_break_off(probe) for probe in self._hellos[version])
        return steady > 0 and chance**refusals <= DOUBT

    def _health(self) -> tuple[int, int]:
        """How many connections that should have got through did so, and how many were lost."""
        steady, lost = self._counted()
        return steady - self._before[0], lost - self._before[1]

    def _counted(self) -> tuple[int, int]:
        steady = lost = 0
        reached = any(self._reached(version) for version in self.versions)
        for version in self.versions:
            answered = self._answered(version)
            for probe in self._hellos[version]:
                if _answer(probe):
                    steady += 1
                elif (probe.whole_endpoint and reached) or (answered and not _garbage(probe)):
                    lost += 1
            fulls = self._fulls[version]
            steady += sum(full.completed for full in fulls)
            # one that never gets through may be more than the controller can do
            lost += 0 if all(map(_lost, fulls)) else sum(map(_lost, fulls))
        return steady, lost

    def _best(self, version: TlsVersion) -> Probe | None:
        """The hello that tells most: a clear answer, else what is neither yes nor no, else a break-off."""
        return max(self._hellos[version], key=_weight, default=None)

    def _all(self) -> c.Iterator[Probe]:
        return (probe for hellos in self._hellos.values() for probe in hellos)

    def _answered(self, version: TlsVersion) -> bool:
        return any(_answer(probe) for probe in self._hellos[version])

    def _broken_off(self, version: TlsVersion) -> bool:
        """The hellos were; a full handshake may still have shown that the version is on."""
        probe = self._best(version)
        return probe is not None and _break_off(probe)

    def _reached(self, version: TlsVersion) -> bool:
        return any(not probe.whole_endpoint for probe in self._hellos[version])

    def _silent(self, version: TlsVersion) -> bool:
        probe = self._best(version)
        return probe is not None and probe.answer is Answer.TIMEOUT

    def _heard(self, version: TlsVersion) -> bool:
        return any(probe.flight and probe.flight.heard for probe in self._hellos[version])


def _accepted(probe: Probe | None) -> bool:
    return probe is not None and probe.answer is Answer.ACCEPTED


def _answer(probe: Probe) -> bool:
    """A yes or a no in TLS's own words."""
    return _accepted(probe) or bool(probe.flight and probe.flight.spelt_out)


def _break_off(probe: Probe) -> bool:
    """A close, a reset, or an alert that says only that something went wrong."""
    return probe.answer is Answer.REJECTED and not _answer(probe)


def _garbage(probe: Probe) -> bool:
    return probe.answer is Answer.NOT_TLS


def _lost(full: FullHandshake) -> bool:
    """It was cut short. Silence is not tried again: it has taken all of its time."""
    return full.stopped in (Ending.CLOSE, Ending.RESET)


def _weight(probe: Probe) -> int:
    if _accepted(probe):
        return 4
    if _answer(probe):
        return 3
    if probe.whole_endpoint:
        return 0
    return 1 if _break_off(probe) else 2
