# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Exchange is asked and as whom, and what is said of it before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.endpoint import (
    OPTIONS,
    Endpoint,
    Login,
    address_of,
    endpoint,
    is_same_server,
    misspelt,
)

OWN = "ex01.lab.test"
LOGIN = Login("admin@LAB.TEST", "Own-Pass-1", verify="/etc/own.pem")
BASIC = {"exchange_auth": "basic"}


def made(**given: Any) -> Endpoint:
    return endpoint(OWN, LOGIN, given)


def test_the_host_itself_over_kerberos() -> None:
    found = made()
    assert found.url == "http://ex01.lab.test:80/PowerShell"
    assert (found.auth, found.user, found.password) == ("kerberos", "admin@LAB.TEST", "Own-Pass-1")
    assert (found.verify, found.kerberos_service, found.secure) == ("/etc/own.pem", "HTTP", False)


def test_basic_is_over_https() -> None:
    assert made(**BASIC).url == "https://ex01.lab.test:443/PowerShell"


def test_everything_can_be_told() -> None:
    given = {
        "exchange_server": " EX02.lab.test ",
        "exchange_port": "8443",
        "exchange_scheme": "HTTPS",
        "exchange_auth": "Basic",
        "exchange_user": "exadmin",
        "exchange_password": "Other-Pass ",
        "exchange_cert_validation": "validate",
        "exchange_ca_cert": "/etc/exchange.pem",
        "exchange_path": "/PowerShell/?serializationLevel=Full",
        "exchange_operation_timeout": 60,
        "exchange_connection_timeout": 5,
        "exchange_cmdlet_timeout": "120",
        "exchange_kerberos_hostname_override": "other.lab.test",
        "exchange_kerberos_service": "host",
    }
    assert set(given) == set(OPTIONS)
    assert made(**given) == Endpoint(
        "EX02.lab.test",
        8443,
        "https",
        "basic",
        "PowerShell/?serializationLevel=Full",
        "exadmin",
        "Other-Pass ",
        "/etc/exchange.pem",
        60,
        5,
        120,
        "other.lab.test",
        "host",
    )


def test_a_blank_field_of_a_survey_is_not_given() -> None:
    assert made(**dict.fromkeys(OPTIONS, "")) == made(**dict.fromkeys(OPTIONS, "  ")) == made()
    assert made(**dict.fromkeys(OPTIONS)) == made()


def test_another_account_has_another_password() -> None:
    found = made(exchange_user="other@LAB.TEST")
    assert (found.user, found.password) == ("other@LAB.TEST", None)
    assert made(exchange_user=LOGIN.user).password == LOGIN.password


@pytest.mark.parametrize(
    ("given", "verify"),
    [
        ({}, "/etc/own.pem"),
        ({"exchange_cert_validation": "ignore"}, False),
        ({"exchange_cert_validation": "validate"}, "/etc/own.pem"),
        ({"exchange_ca_cert": "/ca"}, "/ca"),
    ],
)
def test_certificates(given: dict[str, str], verify: bool | str) -> None:
    assert made(**given).verify == verify


def test_to_validate_is_not_what_the_host_ignores() -> None:
    own = Login("a", "b", verify=False)
    assert endpoint(OWN, own, {}).verify is False
    assert endpoint(OWN, own, {"exchange_cert_validation": "validate"}).verify is True


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**BASIC, "exchange_scheme": "http"}, "basic sends the password as it is, so it needs https"),
        ({"exchange_server": "192.0.2.5"}, "192.0.2.5 is an address, and Kerberos knows servers by name only"),
        ({"exchange_server": "[2001:db8::1]"}, "is an address"),
        ({"exchange_server": "http://ex02"}, "which is not the name of a server"),
        ({"exchange_server": "ex 02"}, "which is not the name of a server"),
        ({"exchange_server": 5}, "exchange_server is 5, which is no text"),
        ({"exchange_scheme": "ftp"}, "exchange_scheme is 'ftp', but it takes http or https"),
        ({"exchange_auth": "ntlm"}, "exchange_auth is 'ntlm', but it takes kerberos or basic"),
        ({"exchange_port": 0}, "exchange_port is 0, but it takes a number from 1 to 65535"),
        ({"exchange_port": True}, "exchange_port is True"),
        ({"exchange_operation_timeout": "soon"}, "exchange_operation_timeout is 'soon'"),
        ({"exchange_user": "LAB\\admin"}, "Kerberos wants name@REALM"),
        ({**BASIC, "exchange_user": "other"}, "basic needs a user and a password"),
        ({"exchange_cert_validation": "no"}, "it takes validate or ignore"),
        ({"exchange_cert_validation": "ignore", "exchange_ca_cert": "/ca"}, "exchange_ca_cert is of no use"),
        ({"exchange_path": "Power Shell"}, "which is no path"),
        ({"exchange_severs": "x"}, "unknown variable 'exchange_severs'"),
    ],
)
def test_refused_before_anything_is_sent(given: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        made(**given)
    assert words in caught.value.message


def test_no_server_at_all() -> None:
    with pytest.raises(OptionError, match="there is no server to ask"):
        endpoint(" ", LOGIN, {})


def test_an_address_will_do_where_kerberos_is_told_the_name() -> None:
    assert made(exchange_server="192.0.2.5", exchange_kerberos_hostname_override=OWN).server == "192.0.2.5"
    assert made(exchange_server="192.0.2.5", **BASIC).server == "192.0.2.5"


def test_all_problems_are_told_and_no_secret() -> None:
    with pytest.raises(OptionError) as caught:
        made(exchange_auth="ntlm", exchange_port="x", exchange_password=12345)
    assert caught.value.message.count(";") >= 2
    assert "12345" not in caught.value.message
    assert "Own-Pass-1" not in repr(made()) + repr(LOGIN)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("ex02", "ex02.lab.test"),
        ("ex03.lab.test", "ex03.lab.test"),
        ("ex04", "192.0.2.4"),
        ("ex05", "ex05"),
        ("192.0.2.9", "192.0.2.9"),
        ("elsewhere.lab.test", "elsewhere.lab.test"),
    ],
)
def test_servers_as_the_inventory_names_them(name: str, address: str) -> None:
    hosts: dict[str, dict[str, Any]] = {
        "ex02": {"ansible_host": "ex02.lab.test"},
        "ex03.lab.test": {"ansible_host": "192.0.2.3"},
        "ex04": {"ansible_host": "192.0.2.4"},
        "ex05": {},
    }
    assert address_of(name, hosts) == address


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ex01", "EX01", True),
        ("EX01.lab.test", "ex01.LAB.test.", True),
        ("ex01", "ex01.lab.test", True),
        ("ex01.lab.test", "ex01.other.test", False),
        ("ex01", "ex011", False),
        ("192.0.2.5", "192", False),
        ("192.0.2.5", "192.0.2.5", True),
        ("", "", False),
        ("", "ex01", False),
    ],
)
def test_same_server(one: str, other: str, same: bool) -> None:
    for names in ((one, other), (other, one)):
        assert is_same_server(*names) is same


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("exchange_sever", "exchange_server"),
        ("exchange_Server", "exchange_server"),
        ("exchange_prot", "exchange_port"),
        ("exchange_pasword", "exchange_password"),
        ("exchange_cmdlet_timout", "exchange_cmdlet_timeout"),
        ("exchange_certvalidation", "exchange_cert_validation"),
    ],
)
def test_a_slip_is_told(name: str, meant: str) -> None:
    assert misspelt([name, "other", *OPTIONS]) == [f"there is no variable '{name}' (did you mean '{meant}'?)"]


def test_what_may_be_a_variable_of_somebody_else_is_none() -> None:
    others = ("servers", "server2", "server_10", "users", "patch", "paths", "schema", "tls", "version", "timeout", "")
    assert misspelt([f"exchange_{name}" for name in others] + ["sever", "tls12_server"]) == []


def test_defaults_are_those_that_are_told() -> None:
    found, told = made(), dict(OPTIONS)
    for field in ("path", "operation_timeout", "connection_timeout", "cmdlet_timeout", "kerberos_service"):
        assert told[f"exchange_{field}"].endswith(f"; {getattr(found, field)} where not given"), field
    assert told["exchange_auth"].endswith(f"; {found.auth} where not given")
    assert told["exchange_port"].startswith(f"{found.port} for http and {made(**BASIC).port} for https")
