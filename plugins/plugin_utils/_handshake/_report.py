# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""From probes to the verdict, and to the result of the module. Pure.

What evidence is worth: a full handshake proves a version. So does the server's whole flight, where it fits the hello
that it answers: servers that want a client certificate, and controllers whose policy forbids the version, leave no
more. The server's choice of an older version refuses the one that was offered, and with its flight proves the other.

The rule: an endpoint is ``verified`` only if a TLS server showed itself there by accepting some version, and every
probe was answered with yes or no. Otherwise nothing is said about what the endpoint refuses: a port that closes every
connection refuses TLS 1.0 too.
"""

from __future__ import annotations

import collections.abc as c
import dataclasses
import datetime
import typing as t

from . import _suites
from ._certificate import CertificateFacts, read_certificate
from ._endpoint import Endpoint
from ._words import Answer, Grade, Probe, TlsVersion

# What a result holds of a certificate at most; more is no certificate of a mail server.
_LONGEST_TEXT = 500
_LONGEST_NAME = 253
_MOST_NAMES = 100

VERIFIED = "verified"
INCONCLUSIVE = "inconclusive"


@dataclasses.dataclass(frozen=True)
class VersionReport:
    """One version on one endpoint. ``accepted`` is None where the probes do not tell."""

    accepted: bool | None
    answer: Answer
    evidence: str
    probe: Probe


@dataclasses.dataclass(frozen=True)
class Certificate:
    facts: CertificateFacts
    # the version whose handshake showed it
    seen_in: TlsVersion
    # certificates that the server sent, its own included; None where only its own can be seen
    chain_length: int | None
    trusted: bool | None
    trust_error: str | None


@dataclasses.dataclass(frozen=True)
class EndpointReport:
    endpoint: Endpoint
    server_name: str | None
    address: str | None
    verdict: str
    versions: dict[TlsVersion, VersionReport]
    certificate: Certificate | None
    # why it is inconclusive and what to do; None where it is verified
    error: str | None


def report(
    endpoint: Endpoint, server_name: str | None, probes: c.Mapping[TlsVersion, Probe], timeout: float
) -> EndpointReport:
    """Judges the probes of one endpoint."""
    answers = {version: _answer(version, probes) for version in TlsVersion if version in probes}
    shown = any(answer is Answer.ACCEPTED for answer, _evidence in answers.values()) or bool(_chosen_instead(probes))
    told = all(answer in (Answer.ACCEPTED, Answer.REJECTED) for answer, _evidence in answers.values())
    verified = shown and told
    versions = {}
    for version, (answer, evidence) in answers.items():
        accepted = True if answer is Answer.ACCEPTED else False if verified else None
        versions[version] = VersionReport(accepted, answer, evidence, probes[version])
    return EndpointReport(
        endpoint,
        server_name,
        next((probe.address for probe in probes.values() if probe.address), None),
        VERIFIED if verified else INCONCLUSIVE,
        versions,
        _certificate(probes),
        None if verified else _explain(endpoint, answers, timeout),
    )


def overview(reports: c.Sequence[EndpointReport], versions: c.Collection[TlsVersion]) -> dict[str, t.Any]:
    """What a role wants to know about all endpoints of a host together. No endpoints prove nothing."""
    seen = {
        version: [item.versions[version].accepted for item in reports] for version in TlsVersion if version in versions
    }
    return {
        "verified": bool(reports) and all(item.verdict == VERIFIED for item in reports),
        "versions": {version.value: _together(values) for version, values in seen.items()},
        "accepted": [version.value for version, values in seen.items() if True in values],
        "rejected": [version.value for version, values in seen.items() if False in values],
    }


def as_result(item: EndpointReport, now: datetime.datetime) -> dict[str, t.Any]:
    """The endpoint's entry in the module's result. ``now`` is aware."""
    return {
        "endpoint": item.endpoint.name,
        "address": item.address,
        "server_name": item.server_name,
        "verdict": item.verdict,
        "proof": _proof(item),
        "evidence": _evidence(item),
        "versions": {version.value: _version_result(found) for version, found in item.versions.items()},
        "certificate": _certificate_result(item, now) if item.certificate else None,
        "error": item.error,
    }


def _together(values: c.Sequence[bool | None]) -> str:
    if True in values and False in values:
        return "mixed"
    if None in values or not values:
        return INCONCLUSIVE
    return "accepted" if True in values else "rejected"


# judgement


def _chosen_instead(probes: c.Mapping[TlsVersion, Probe]) -> dict[TlsVersion, TlsVersion]:
    """Versions that the server chose, and sent its flight for, when it was offered a newer one: chosen -> offered."""
    result = {}
    for version, probe in probes.items():
        flight = probe.flight
        if flight and flight.spelt_out and flight.chosen is not None:
            result[flight.chosen] = version
    return result


def _answer(version: TlsVersion, probes: c.Mapping[TlsVersion, Probe]) -> tuple[Answer, str]:
    probe = probes[version]
    offered = _chosen_instead(probes).get(version)
    if offered is not None and probe.answer is not Answer.ACCEPTED:
        # several machines behind one address, say: that it is on somewhere is what counts
        return Answer.ACCEPTED, f"server chose it when offered {offered.value}; its own probe: {probe.evidence}"
    return probe.answer, probe.evidence


def _explain(endpoint: Endpoint, answers: c.Mapping[TlsVersion, tuple[Answer, str]], timeout: float) -> str:
    """The sentence for an inconclusive endpoint, about the first of its troubles."""
    place = endpoint.name
    for answer, sentence in _TROUBLES.items():
        hits = {version: evidence for version, (found, evidence) in answers.items() if found is answer}
        if hits:
            evidence = next(iter(hits.values()))
            names = ", ".join(version.value for version in hits)
            return sentence.format(place=place, evidence=evidence, versions=names, timeout=timeout, port=endpoint.port)
    evidence = ", ".join(dict.fromkeys(evidence for _answer, evidence in answers.values()))
    return (
        f"{place} refused every version that was tried ({evidence}), so nothing shows that a TLS server is there and "
        "nothing is proven off. Check that it runs, that it expects the server_name, and that it allows the controller "
        "to connect; the event log of the server (source Schannel, 36874) tells refused versions from other failures."
    )


# In the order of what explains most.
_TROUBLES = {
    Answer.UNRESOLVED: "{place}: the controller cannot resolve the name ({evidence}). Give the host's address in "
    "ansible_host, or a name that the controller knows.",
    Answer.LOCAL_ERROR: "{place} was not tried: {evidence}.",
    Answer.REFUSED: "{place}: nothing listens on port {port} (connection refused), or a firewall refuses the "
    "controller. Check the port, and that the service runs.",
    Answer.UNREACHABLE: "{place} cannot be reached from the controller: {evidence}. Check the address, the routes and "
    "the firewalls between them.",
    Answer.NO_STARTTLS: "{place} does not offer STARTTLS ({evidence}). Check the certificate and the authentication "
    "settings of the connector, or leave the endpoint out.",
    Answer.STARTTLS_REFUSED: '{place} refused to start TLS with "{evidence}". If that does not pass by itself, check '
    "the connector's certificate and the addresses that it accepts.",
    Answer.CLOSED_EARLY: "{place} closed the connection before TLS began: {evidence}. It may not accept the "
    "controller's address.",
    Answer.NOT_TLS: "{place} answered {versions} with something that is no TLS: {evidence}. Check protocol and port.",
    Answer.TIMEOUT: "{place} left {versions} without an answer for {timeout:g} s ({evidence}). Look for a firewall "
    "between the controller and the server; a slow server needs a longer timeout.",
    Answer.INCOMPLETE: "{place} broke the handshake for {versions} off in the middle ({evidence}). Look at its "
    "certificate and private key, and at the server's event log.",
    Answer.UNSTEADY: "{place} broke off {versions} without a word ({evidence}). That may be a refusal, or connections "
    "that were lost. Run this again, and look for what loses connections to the server.",
}


# certificate


def _certificate(probes: c.Mapping[TlsVersion, Probe]) -> Certificate | None:
    """The certificate of the newest accepted handshake, a complete one before a mere flight."""
    done = sorted(probes.values(), key=lambda probe: (_completed(probe), probe.version.wire), reverse=True)
    for probe in done:
        full = probe.full if probe.full and probe.full.completed else None
        # up to TLS 1.2 the flight shows the whole chain, which older Pythons keep to themselves
        shown = probe.flight.certificates if probe.flight else ()
        chain = full.certificates if full and full.certificates else shown
        if not chain:
            continue
        whole = chain is shown or bool(full and full.whole_chain)
        chosen = probe.flight.chosen if probe.flight and chain is shown else None
        return Certificate(
            read_certificate(chain[0]),
            chosen or probe.version,
            len(chain) if whole else _shown_with(chain[0], done),
            full.trusted if full else None,
            full.trust_error if full else None,
        )
    return None


def _shown_with(certificate: bytes, probes: c.Iterable[Probe]) -> int | None:
    """How many certificates a flight showed that began with this one; a server may have others for other keys."""
    chains = [probe.flight.certificates for probe in probes if probe.flight]
    return next((len(chain) for chain in chains if chain[:1] == (certificate,)), None)


def _completed(probe: Probe) -> bool:
    return probe.full is not None and probe.full.completed


# result


def _version_result(found: VersionReport) -> dict[str, t.Any]:
    probe = found.probe
    flight, full = probe.flight, probe.full
    grade = _grade(found)
    chosen = flight.chosen if flight else None
    # a suite of a version that was not asked for tells nothing about this one
    suite = flight.cipher_suite if flight and chosen is probe.version else None
    suite_name = _suites.name(suite) if suite is not None else full.cipher_suite if full else None
    return {
        "accepted": found.accepted,
        "answer": found.answer.value,
        "evidence": found.evidence,
        "tries": probe.tries,
        "grade": grade.value if grade else None,
        "cipher_suite": suite_name,
        "extended_master_secret": flight.extended_master_secret if flight and suite is not None else None,
        "client_certificate_requested": flight.client_certificate_requested if flight else None,
        "server_chose": chosen.value if chosen and chosen is not probe.version else None,
        "local_error": _local_error(probe) if found.answer is Answer.ACCEPTED else None,
    }


def _grade(found: VersionReport) -> Grade | None:
    if not found.accepted:
        return None
    if _completed(found.probe):
        return Grade.FULL_HANDSHAKE
    return Grade.SERVER_FLIGHT if found.probe.answer is Answer.ACCEPTED else Grade.SERVER_HELLO


def _proof(item: EndpointReport) -> str | None:
    """The best grade of all versions."""
    grades = {_grade(found) for found in item.versions.values()}
    return next((grade.value for grade in reversed(Grade) if grade in grades), None)


def _evidence(item: EndpointReport) -> str:
    """What was seen of each version that was tried, in one line."""
    seen: dict[str, list[str]] = {}
    words = {True: "accepted", False: "refused", None: "not known"}
    for version, found in item.versions.items():
        if found.answer is not Answer.SKIPPED:
            seen.setdefault(f"{words[found.accepted]} ({found.evidence})", []).append(version.value)
    return "; ".join(f"{', '.join(versions)} {what}" for what, versions in seen.items())


def _local_error(probe: Probe) -> str | None:
    """Why the full handshake failed where the hello was accepted: the controller, or a demand on the client."""
    if probe.full is None or probe.full.error is None:
        return None
    if probe.flight and probe.flight.client_certificate_requested:
        return f"The server wants a client certificate, and the controller has none ({probe.full.error})."
    return f"Python's ssl on the controller did not complete the handshake ({probe.full.error})."


def _certificate_result(item: EndpointReport, now: datetime.datetime) -> dict[str, t.Any]:
    certificate = t.cast(Certificate, item.certificate)
    facts = certificate.facts
    return {
        "subject": _cut(facts.subject),
        "issuer": _cut(facts.issuer),
        "sans": [_cut(name, _LONGEST_NAME) for name in facts.sans[:_MOST_NAMES]],
        "sans_count": len(facts.sans),
        "not_before": _moment(facts.not_before),
        "not_after": _moment(facts.not_after),
        "days_left": facts.days_left(now),
        "serial": _cut(facts.serial),
        "thumbprint": facts.thumbprint,
        "sha256": facts.sha256,
        "key_type": facts.key_type,
        "key_bits": facts.key_bits,
        "self_signed": facts.self_signed,
        "chain_length": certificate.chain_length,
        "trusted": certificate.trusted,
        "trust_error": certificate.trust_error,
        "matches_server_name": facts.matches(item.server_name) if item.server_name else None,
        "seen_in": certificate.seen_in.value,
        "note": facts.note,
    }


def _cut(text: str | None, limit: int = _LONGEST_TEXT) -> str | None:
    """As it is, but not at any length: who chose it is not known to be a friend."""
    if text is None or len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text) - limit} more characters)"


def _moment(moment: datetime.datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
