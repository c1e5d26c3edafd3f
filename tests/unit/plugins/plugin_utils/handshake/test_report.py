# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict: what probes prove, and what they do not."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake import _report
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._endpoint import parse_endpoint
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._report import (
    EndpointReport,
    as_result,
    overview,
    report,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import (
    Answer,
    Flight,
    FullHandshake,
    Probe,
    TlsVersion,
)
from hypothesis import given
from hypothesis import strategies as st

from . import servers

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)
ENDPOINT = parse_endpoint("https", "ex01")
V10, V11, V12, V13 = TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2, TlsVersion.TLS_1_3


def probe(version: TlsVersion, answer: Answer, chosen: TlsVersion | None = None) -> Probe:
    if answer is Answer.ACCEPTED:
        chosen = version
    spelt_out = chosen is not None and chosen is not version
    flight = Flight(answer, "said", chosen=chosen, cipher_suite=0x2F, spelt_out=spelt_out) if chosen else None
    return Probe(version, answer, f"{answer.value} evidence", flight=flight, address="192.0.2.1")


def judge(**answers: Answer) -> EndpointReport:
    return report(ENDPOINT, "ex01", {TlsVersion[name]: probe(TlsVersion[name], a) for name, a in answers.items()}, 5)


def verdicts(found: EndpointReport) -> list[bool | None]:
    return [version.accepted for version in found.versions.values()]


def test_verified() -> None:
    found = judge(TLS_1_0=Answer.REJECTED, TLS_1_2=Answer.ACCEPTED)
    assert found.verdict == "verified"
    assert verdicts(found) == [False, True]
    assert found.error is None


def test_nothing_accepted_is_no_proof_of_off() -> None:
    found = judge(TLS_1_0=Answer.REJECTED, TLS_1_2=Answer.REJECTED)
    assert found.verdict == "inconclusive"
    assert verdicts(found) == [None, None]
    assert found.error is not None
    assert "refused every version" in found.error


@pytest.mark.parametrize("answer", [answer for answer in Answer if answer not in (Answer.ACCEPTED, Answer.REJECTED)])
def test_any_other_answer_makes_it_inconclusive(answer: Answer) -> None:
    found = judge(TLS_1_0=Answer.REJECTED, TLS_1_1=answer, TLS_1_2=Answer.ACCEPTED)
    assert found.verdict == "inconclusive"
    # a yes stays a yes, a no is none
    assert verdicts(found) == [None, None, True]
    assert found.error


@pytest.mark.parametrize("answer", [answer for answer in Answer if answer is not Answer.SKIPPED])
def test_every_trouble_has_a_sentence(answer: Answer) -> None:
    found = judge(TLS_1_0=answer, TLS_1_2=Answer.SKIPPED)
    assert found.error is not None
    assert found.error.startswith("https://ex01:443")
    assert "{" not in found.error


def test_server_that_chose_an_older_version_has_shown_itself() -> None:
    probes = {V12: probe(V12, Answer.REJECTED, chosen=V10)}
    found = report(ENDPOINT, None, probes, 5)
    assert found.verdict == "verified"
    assert verdicts(found) == [False]


@pytest.mark.parametrize("own", [Answer.REJECTED, Answer.TIMEOUT, Answer.INCOMPLETE])
def test_a_version_that_was_chosen_is_on_whatever_its_own_probe_says(own: Answer) -> None:
    """As behind a load balancer, where one machine has it on and the next has not."""
    probes = {V10: probe(V10, own), V12: probe(V12, Answer.REJECTED, chosen=V10)}
    found = report(ENDPOINT, None, probes, 5)
    assert found.versions[V10].accepted is True
    assert "chose it when offered TLS 1.2" in found.versions[V10].evidence
    assert as_result(found, NOW)["versions"]["TLS 1.0"]["grade"] == "server_hello"


@given(st.dictionaries(st.sampled_from(TlsVersion), st.sampled_from(Answer), min_size=1))
def test_laws_of_the_verdict(answers: dict[TlsVersion, Answer]) -> None:
    found = report(ENDPOINT, None, {version: probe(version, answer) for version, answer in answers.items()}, 5)
    accepted = {version for version, item in found.versions.items() if item.accepted is True}
    refused = {version for version, item in found.versions.items() if item.accepted is False}
    assert accepted == {version for version, answer in answers.items() if answer is Answer.ACCEPTED}
    if refused:
        assert accepted
        assert set(answers.values()) <= {Answer.ACCEPTED, Answer.REJECTED}
    assert (found.verdict == "verified") == (accepted | refused == set(answers) and bool(accepted))
    assert (found.error is None) == (found.verdict == "verified")
    assert list(found.versions) == [version for version in TlsVersion if version in answers]


# several endpoints


def test_overview() -> None:
    good = judge(TLS_1_0=Answer.REJECTED, TLS_1_1=Answer.REJECTED, TLS_1_2=Answer.ACCEPTED, TLS_1_3=Answer.REJECTED)
    other = judge(TLS_1_0=Answer.ACCEPTED, TLS_1_1=Answer.REJECTED, TLS_1_2=Answer.ACCEPTED, TLS_1_3=Answer.REJECTED)
    assert overview([good, other], [V13, V12, V11, V10]) == {
        "verified": True,
        "versions": {"TLS 1.0": "mixed", "TLS 1.1": "rejected", "TLS 1.2": "accepted", "TLS 1.3": "rejected"},
        "accepted": ["TLS 1.0", "TLS 1.2"],
        "rejected": ["TLS 1.0", "TLS 1.1", "TLS 1.3"],
    }


def test_overview_with_an_inconclusive_endpoint_claims_nothing_for_all() -> None:
    good = judge(TLS_1_0=Answer.REJECTED, TLS_1_2=Answer.ACCEPTED)
    dead = judge(TLS_1_0=Answer.REFUSED, TLS_1_2=Answer.SKIPPED)
    assert overview([good, dead], [V10, V12]) == {
        "verified": False,
        "versions": {"TLS 1.0": "inconclusive", "TLS 1.2": "inconclusive"},
        "accepted": ["TLS 1.2"],
        "rejected": ["TLS 1.0"],
    }


def test_overview_of_nothing_proves_nothing() -> None:
    expected = {"verified": False, "versions": {"TLS 1.2": "inconclusive"}, "accepted": [], "rejected": []}
    assert overview([], [V12]) == expected


# the result


def test_result_of_a_full_handshake() -> None:
    der = servers.identity().der
    flight = Flight(
        Answer.ACCEPTED,
        "ServerHello to ServerHelloDone",
        chosen=V12,
        cipher_suite=0xC030,
        extended_master_secret=True,
        client_certificate_requested=False,
        certificates=(der, b"ca"),
    )
    full = FullHandshake(completed=True, trusted=False, trust_error="self-signed certificate", certificates=(der,))
    probes = {V12: Probe(V12, Answer.ACCEPTED, "full handshake", flight=flight, full=full, address="192.0.2.1")}
    result = as_result(report(ENDPOINT, servers.NAME, probes, 5), NOW)
    assert result["versions"]["TLS 1.2"] == {
        "accepted": True,
        "answer": "accepted",
        "evidence": "full handshake",
        "tries": 1,
        "grade": "full_handshake",
        "cipher_suite": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "extended_master_secret": True,
        "client_certificate_requested": False,
        "server_chose": None,
        "local_error": None,
    }
    assert {key: result[key] for key in ("endpoint", "address", "server_name", "verdict", "error")} == {
        "endpoint": "https://ex01:443",
        "address": "192.0.2.1",
        "server_name": servers.NAME,
        "verdict": "verified",
        "error": None,
    }
    certificate = result["certificate"]
    assert certificate["chain_length"] == 2
    assert certificate["trusted"] is False
    assert certificate["trust_error"] == "self-signed certificate"
    assert certificate["matches_server_name"] is True
    assert certificate["seen_in"] == "TLS 1.2"
    assert certificate["not_after"].endswith("Z")


def test_failure_of_the_controller_is_a_local_error() -> None:
    full = FullHandshake(completed=False, error="no ciphers available")
    flight = Flight(Answer.ACCEPTED, "x", chosen=V12)
    probes = {V12: Probe(V12, Answer.ACCEPTED, "x", flight=flight, full=full)}
    version = as_result(report(ENDPOINT, None, probes, 5), NOW)["versions"]["TLS 1.2"]
    assert version["accepted"] is True
    assert version["grade"] == "server_flight"
    assert (
        version["local_error"]
        == "Python's ssl on the controller did not complete the handshake (no ciphers available)."
    )


def test_refusal_is_no_local_error() -> None:
    full = FullHandshake(completed=False, error="alert protocol version")
    probes = {V12: Probe(V12, Answer.REJECTED, "reset", full=full), V13: probe(V13, Answer.ACCEPTED)}
    result = as_result(report(ENDPOINT, None, probes, 5), NOW)
    assert result["versions"]["TLS 1.2"]["accepted"] is False
    assert result["versions"]["TLS 1.2"]["local_error"] is None
    assert result["certificate"] is None


def test_chain_that_tls_1_3_hides_is_counted_in_another_version() -> None:
    der = servers.identity().der
    full = FullHandshake(completed=True, certificates=(der,))
    probes = {
        V12: Probe(
            V12, Answer.ACCEPTED, "x", flight=Flight(Answer.ACCEPTED, "x", chosen=V12, certificates=(der, b"ca"))
        ),
        V13: Probe(V13, Answer.ACCEPTED, "x", flight=Flight(Answer.ACCEPTED, "x", chosen=V13), full=full),
    }
    certificate = report(ENDPOINT, None, probes, 5).certificate
    assert certificate is not None
    assert (certificate.seen_in, certificate.chain_length) == (V13, 2)


def test_chain_of_another_certificate_is_not_counted() -> None:
    """A server may have a certificate for RSA and one for ECDSA."""
    flight = Flight(Answer.ACCEPTED, "x", chosen=V12, certificates=(b"rsa", b"ca"))
    full = FullHandshake(completed=True, certificates=(servers.identity("ec").der,))
    probes = {V12: Probe(V12, Answer.ACCEPTED, "x", flight=flight, full=full)}
    certificate = report(ENDPOINT, None, probes, 5).certificate
    assert certificate is not None
    assert certificate.chain_length is None
    assert certificate.facts.key_type == "EC secp256r1"


# certificates without measure


def certificate_result(**names: t.Any) -> dict[str, t.Any]:
    full = FullHandshake(completed=True, certificates=(servers.certificate_with(**names),))
    flight = Flight(Answer.ACCEPTED, "x", chosen=V12)
    result = as_result(
        report(ENDPOINT, "last.example.com", {V12: Probe(V12, Answer.ACCEPTED, "x", flight=flight, full=full)}, 5), NOW
    )
    assert len(json.dumps(result)) < 64 * 1024
    return t.cast("dict[str, t.Any]", result["certificate"])


def test_names_are_counted_and_only_some_are_listed() -> None:
    found = certificate_result(names=[*(f"{number}.example.com" for number in range(1500)), "last.example.com"])
    assert found["sans_count"] == 1501
    assert len(found["sans"]) == 100
    # but all of them are looked at
    assert found["matches_server_name"] is True


def test_long_texts_are_cut_and_say_so() -> None:
    found = certificate_result(unit="u" * 20_000, names=["n" * 3000])
    assert found["subject"].endswith(" more characters)")
    assert found["issuer"].endswith(" more characters)")
    assert len(found["subject"]) < 550
    assert found["sans"] == ["n" * 253 + "... (2747 more characters)"]


def test_certificate_of_840_kilobytes_has_hashes_alone() -> None:
    found = certificate_result(names=["n" * 840_000])
    assert found["sha256"]
    assert found["subject"] is None
    assert "none with more than 65536 is read" in found["note"]


def test_texts_that_are_not_too_long_are_as_the_server_sent_them() -> None:
    found = certificate_result(unit="Отдел \u202e почты", names=["a.example"])
    assert "Отдел \u202e почты" in found["subject"]
    assert found["sans_count"] == 1


def test_certificate_belongs_to_the_version_that_the_server_chose() -> None:
    flight = Flight(Answer.REJECTED, "x", chosen=V10, certificates=(servers.identity().der,), spelt_out=True)
    certificate = report(ENDPOINT, None, {V12: Probe(V12, Answer.REJECTED, "x", flight=flight)}, 5).certificate
    assert certificate is not None
    assert certificate.seen_in is V10


def test_proof_and_evidence_of_an_endpoint() -> None:
    result = as_result(judge(TLS_1_0=Answer.REJECTED, TLS_1_1=Answer.REJECTED, TLS_1_2=Answer.ACCEPTED), NOW)
    assert result["proof"] == "server_flight"
    assert result["evidence"] == "TLS 1.0, TLS 1.1 refused (rejected evidence); TLS 1.2 accepted (accepted evidence)"
    dead = as_result(judge(TLS_1_0=Answer.SKIPPED, TLS_1_2=Answer.REFUSED), NOW)
    assert dead["proof"] is None
    assert dead["evidence"] == "TLS 1.2 not known (refused evidence)"
    assert dead["verdict"] == "inconclusive"
    assert dead["error"]


def test_choice_without_a_flight_proves_nothing() -> None:
    flight = Flight(Answer.INCOMPLETE, "server chose TLS 1.0, then close", chosen=V10)
    probes = {V10: probe(V10, Answer.REJECTED), V12: Probe(V12, Answer.INCOMPLETE, "x", flight=flight)}
    found = report(ENDPOINT, None, probes, 5)
    assert found.verdict == "inconclusive"
    assert verdicts(found) == [None, None]


def test_result_never_holds_a_false_in_an_inconclusive_endpoint() -> None:
    found = as_result(judge(TLS_1_0=Answer.REJECTED, TLS_1_2=Answer.TIMEOUT), NOW)
    assert found["verdict"] == _report.INCONCLUSIVE
    assert [version["accepted"] for version in found["versions"].values()] == [None, None]
