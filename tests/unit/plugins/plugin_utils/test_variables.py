# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that are looked up in variables by name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _variables
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError

VARIABLES: dict[str, Any] = {
    "policy": {"protocols": "my_protocols", "strays": "my_strays"},
    "proof": {"prove": {"timeout": "my_time", "endpoints": "my_endpoints"}},
    "left_out": {"strays": "omitted", "winhttp": "my_strays"},
    "text": "my_strays",
    "numbers": {"strays": 7},
    "nested": {"prove": {"timeout": "nowhere"}},
    "my_protocols": {"TLS 1.2": "enabled"},
    "my_strays": "remove",
    "my_time": 0,
    "my_endpoints": [],
    "omitted": ...,
}


def value_of(name: str) -> Any:
    return _variables.OMIT if name == "omitted" else VARIABLES[name]


def taken(names: Any) -> dict[str, Any]:
    return _variables.taken(names, value_of)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], {}),
        (["policy"], {"protocols": {"TLS 1.2": "enabled"}, "strays": "remove"}),
        (["proof"], {"prove": {"timeout": 0, "endpoints": []}}),
        (
            ["policy", "proof"],
            {"protocols": {"TLS 1.2": "enabled"}, "strays": "remove", "prove": {"timeout": 0, "endpoints": []}},
        ),
        (["left_out"], {"winhttp": "remove"}),
    ],
)
def test_what_is_found(names: Any, found: dict[str, Any]) -> None:
    assert taken(names) == found


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["nothing"], "'from_variables': there is no variable 'nothing'."),
        (["policy", "nothing"], "'from_variables': there is no variable 'nothing'."),
        (["text"], "'from_variables': text is no mapping of options to the names of variables."),
        (["numbers"], "'from_variables': there is no variable 7."),
        (["nested"], "'from_variables': there is no variable 'nowhere'."),
        ([["policy"]], "'from_variables': there is no variable ['policy']."),
        ([7], "'from_variables': there is no variable 7."),
    ],
)
def test_what_is_not_there(names: Any, told: str) -> None:
    with pytest.raises(OptionError) as caught:
        taken(names)
    assert caught.value.message == told


class AnsibleVaultEncryptedUnicode:
    """As ansible-core has it before 2.19."""

    def __str__(self) -> str:
        return "decrypted"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("x", "x"),
        (None, None),
        (7, 7),
        ("__omit__", _variables.OMIT),
        ({"a": "__omit__", "b": {"c": "__omit__", "d": 1}}, {"b": {"d": 1}}),
        (["__omit__", "x"], ["x"]),
        (("x",), ["x"]),
        (AnsibleVaultEncryptedUnicode(), "decrypted"),
        ({"a": [AnsibleVaultEncryptedUnicode()]}, {"a": ["decrypted"]}),
    ],
)
def test_what_older_versions_of_ansible_hand_over(value: Any, found: Any) -> None:
    assert _variables.plain(value, "__omit__") == found


def test_nothing_is_no_omit() -> None:
    """Later ones have no text for it."""
    assert _variables.plain(None, None) is None
    assert _variables.plain({"a": None, "b": ""}, None) == {"a": None, "b": ""}


class HostVars(dict[str, Any]):
    """As Ansible's: what is taken out of it is looked at for templates."""

    def raw_get(self, name: str) -> Any:
        return {"of": name}


def test_variables_of_a_host_are_taken_as_they_are() -> None:
    assert _variables.of_host(HostVars(ex01={"of": "a template"}), "ex01") == {"of": "ex01"}
    assert _variables.of_host({"ex01": {"of": "ex01"}}, "ex01") == {"of": "ex01"}
    assert _variables.of_host({"ex01": {}}, "ex02") == {}
    with pytest.raises(TypeError, match="'text' is no mapping"):
        _variables.of_host({"ex01": "text"}, "ex01")
