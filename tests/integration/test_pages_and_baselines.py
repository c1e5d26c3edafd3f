# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every translated page as an administrator would have imported it, and every baseline: found, mended, rolled back."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pytest

from tests.lab.client import LabClient

from .harness import PROTOCOLS_KEY, TLS12_CLIENT, TLS12_SERVER, Ansible, Run

PAGES = json.loads((pathlib.Path(__file__).parents[1] / "data" / "translated_pages.json").read_text(encoding="utf-8"))


def imported(page: t.Mapping[str, t.Any]) -> dict[str, dict[str, int]]:
    """The registry after ``reg import``: a dword of more than eight digits vanishes, and nothing says so."""
    layer: dict[str, dict[str, int]] = {}
    for key in page["keys"]:
        name = "\\".join([PROTOCOLS_KEY, *key["path"]])
        values = {value: int(digits, 16) for value, digits in key["values"] if 1 <= len(digits) <= 8}
        layer.setdefault(name, {}).update(values)
    return layer


def host_name(page: t.Mapping[str, t.Any]) -> str:
    return "page-" + re.sub(r"[^a-z0-9]+", "-", str(page["page"]).lower())


PAGE_HOSTS = {host_name(page): imported(page) for page in PAGES["pages"]}
BASELINES = ("exchange_tls12", "exchange_best_practice", "exchange_tls13", "stig_iis10")
WINDOWS = {"2012": [], "2016": ["exchange_2016"], "2022": ["exchange_2019"]}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        **{name: {"windows": "2012r2", "registry": ["stock", layer]} for name, layer in PAGE_HOSTS.items()},
        **{
            f"{name.replace('_', '-')}-{windows}": {
                "windows": windows,
                # ready for the second phase, so that every baseline may be applied at once
                "registry": ["stock", "tls12_enabled", "dotnet_strong", *layers],
            }
            for name in BASELINES
            for windows, layers in WINDOWS.items()
        },
    },
}
RIGHT = {"Enabled": {"type": "REG_DWORD", "data": 1}, "DisabledByDefault": {"type": "REG_DWORD", "data": 0}}


class Story(t.NamedTuple):
    begin: dict[str, t.Any]
    audit: Run
    predicted: Run
    written: Run
    after: dict[str, t.Any]
    again: Run
    back: Run
    end: dict[str, t.Any]


def story(lab: LabClient, ansible: Ansible, hosts: str, options: dict[str, t.Any]) -> Story:
    """Audit, predict, write, write again, roll back."""
    names = [host.name for host in lab.hosts() if re.fullmatch(hosts.replace("*", ".*"), host.name)]

    def dump() -> dict[str, t.Any]:
        return {name: lab.host(name).dump() for name in names}

    def task(module: str, *arguments: str) -> Run:
        given = {} if module == "tls_rollback" else options
        return ansible.task(module, "-f", "10", *arguments, hosts=hosts, options=given, limit=150)

    begin = dump()
    audit = task("tls_settings_info").ok()
    predicted = task("tls_settings", "--check").ok()
    assert dump() == begin
    written = task("tls_settings").ok()
    after = dump()
    again = task("tls_settings").ok()
    return Story(begin, audit, predicted, written, after, again, task("tls_rollback"), dump())


def tree(dump: t.Mapping[str, t.Any], key: str) -> t.Any:
    """The values of a key in a dump, whatever the case of its name and however the dump begins it."""
    return next((values for name, values in dump.items() if name.lower().endswith(key.lower())), None)


def check(told: Story, changed: t.Iterable[str]) -> None:
    """What holds for every host of a story."""
    changed = set(changed)
    for item in told.written.of("tls_settings"):
        assert item.result["compliant"] is True, item
        assert item.result["changed"] is (item.host in changed), item.host
        predicted = told.predicted.result("tls_settings", item.host)
        for key in ("changed", "compliant", "restart_required", "findings", "protocols", "healthchecker", "diff"):
            assert predicted[key] == item.result[key], (item.host, key)
    assert not [item for item in told.again.of("tls_settings") if item.result["changed"]]
    for name in changed:
        assert told.back.result("tls_rollback", name)["changed"] is True
        assert told.end[name] == told.begin[name], name


@pytest.fixture(scope="module")
def pages(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return story(lab, Ansible(lab, tmp_path_factory.mktemp("pages")), "page-*", {"baseline": "exchange_tls12"})


@pytest.fixture(scope="module")
def cleaned(lab: LabClient, pages: Story, tmp_path_factory: pytest.TempPathFactory) -> Story:
    options = {"baseline": "exchange_tls12", "strays": "remove"}
    return story(lab, Ansible(lab, tmp_path_factory.mktemp("cleaned")), "page-*", options)


def test_pages_are_mended_and_rolled_back(pages: Story) -> None:
    check(pages, PAGE_HOSTS)
    for name, dump in pages.after.items():
        assert tree(dump, TLS12_CLIENT) == tree(dump, TLS12_SERVER) == RIGHT, name


@pytest.mark.parametrize("page", PAGES["pages"], ids=lambda page: str(page["page"]))
def test_what_a_page_did_is_told(pages: Story, page: dict[str, t.Any]) -> None:
    findings = pages.audit.result("tls_settings_info", host_name(page))["findings"]
    told = [item for item in findings if item["id"].startswith("stray.")]
    right = {"tls 1.2", "client", "server"}
    strange = [key for key in page["keys"] if not {part.lower() for part in key["path"]} <= right]
    names = [value for key in page["keys"] for value, _digits in key["values"]]
    odd_names = {name for name in names if name.lower() not in ("enabled", "disabledbydefault")}
    assert bool(told) is bool(strange or odd_names), told
    for item in told:
        assert "Probably meant: TLS 1.2" in item["message"], item["message"]
    lost = any(len(key["path"]) == 2 and key["values"] for key in strange)
    translated = [item for item in findings if item["id"] == "translated_page"]
    assert bool(translated) is (lost or bool(odd_names)), translated


def test_strays_stay_unless_they_are_to_go(pages: Story, cleaned: Story) -> None:
    check(cleaned, PAGE_HOSTS)
    for name in PAGE_HOSTS:
        ours = {key.lower() for key in pages.begin[name]}
        assert ours <= {key.lower() for key in pages.after[name]}, name
        found = cleaned.written.result("tls_settings", name)["findings"]
        assert not [item for item in found if item["id"].startswith("stray.")], name


@pytest.mark.parametrize("baseline", BASELINES)
def test_baselines(lab: LabClient, ansible: Ansible, baseline: str) -> None:
    hosts = f"{baseline.replace('_', '-')}-*"
    told = story(lab, ansible, hosts, {"baseline": baseline})
    changed = {
        "exchange_tls12": (),
        "exchange_best_practice": WINDOWS,
        "exchange_tls13": ("2022",),
        "stig_iis10": WINDOWS,
    }[baseline]
    check(told, [f"{baseline.replace('_', '-')}-{windows}" for windows in changed])
    for host in lab.hosts():
        if host.name.startswith(hosts[:-1]):
            asked = {
                item["id"]
                for item in told.audit.result("tls_settings_info", host.name)["findings"]
                if item["expected"] is not None and item["status"] != "not_applicable"
            }
            differs = told.begin[host.name] != told.after[host.name]
            assert asked
            assert differs is (host.name.rpartition("-")[2] in changed)


def test_everything_at_once_is_within_the_budget(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("stig-iis10-2022")
    options = {
        "baseline": "exchange_best_practice",
        "protocols": dict.fromkeys(("SSL 2.0", "SSL 3.0", "PCT 1.0", "DTLS 1.0"), "disabled") | {"DTLS 1.2": "enabled"},
        "winhttp": "tls12",
        "ciphers": {
            "RC4 128/128": "disabled",
            "NULL": "disabled",
            "Triple DES 168": "disabled",
            "DES 56/56": "disabled",
        },
        "hashes": {"MD5": "disabled"},
        "key_exchanges": {"PKCS": "enabled"},
        "dh_min_key_length": 2048,
        "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
    }
    ansible.task("tls_settings", hosts=host.name, options=options).ok()
    host.reset_log()
    run = ansible.task("tls_settings_info", hosts=host.name, options=options).ok()
    assert run.result("tls_settings_info")["compliant"] is True
    assert host.counters()["soap_requests"] < 90
    assert host.counters()["logins"] == 1
    # a slash is part of the name of one key
    assert host.subkeys(r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Ciphers\RC4 128") is None
    ansible.task("tls_rollback", hosts=host.name).ok()
