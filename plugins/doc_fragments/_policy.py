# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The options that say what is wanted."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  baseline:
    description:
      - A named set of rules. What the other options ask for overrides it.
      - V(exchange_tls12) asks for TLS 1.2 on both sides and for .NET 4 to use it.
      - V(exchange_best_practice) is Microsoft's page of best practices for Exchange. It also asks for .NET 2, for TLS 1.0 and
        1.1 to be off, and for strict renegotiation. What is older than TLS 1.0 is turned off as well where it is on, by what
        somebody has set or by the default of Windows Server 2012 R2 and before; where it is off by default, no explicit values
        are asked for.
      - V(exchange_tls13) asks for TLS 1.2, and for TLS 1.3 where Windows (Server 2022 and later) and Exchange (2019 CU15 and
        later) support it.
      - V(stig_iis10) is rule V-218821 of DISA's IIS 10.0 Server STIG, which looks at the server side only and accepts no other
        number than 1.
      - V(none) asks for nothing by itself.
      - Anything with a slash, or with C(.yml) at its end, is the path of a file on the controller with rules of your own, which may be
        encrypted with C(ansible-vault). A relative path is looked for beside the playbook, beside the inventory and in the current
        folder. What a rule may say is in the guide on baselines and waivers. A file with a mistake is refused with its line.
    type: str
    default: exchange_tls12
  protocols:
    description:
      - Wishes by protocol version. A key is one of V(SSL 2.0), V(SSL 3.0), V(TLS 1.0), V(TLS 1.1), V(TLS 1.2), V(TLS 1.3),
        V(DTLS 1.0), V(DTLS 1.2), V(PCT 1.0) and V(Multi-Protocol Unified Hello).
      - V(enabled) asks for C(Enabled=1) and C(DisabledByDefault=0), V(disabled) for C(Enabled=0) and
        C(DisabledByDefault=1), both as REG_DWORD. V(default) asks that neither value is there, so that Windows decides.
        V(unmanaged) asks for nothing, whatever the baseline says.
      - A state stands for both sides. To set them apart, give a dictionary with the keys V(Client) (what the server offers
        when it connects to others) and V(Server) (what it accepts).
      - Any number but 0 in a value that should be 1 is accepted and left as it is, since Windows reads it as on; a finding
        says so.
      - Protocols that are not asked about are read and reported, and never changed.
      - TLS 1.2 cannot be disabled, since Exchange SMTP has no TLS 1.3.
    type: dict
    default: {}
  dotnet:
    description:
      - Wishes for the .NET Framework, whose programs take the TLS versions of Windows only where it is told so.
      - V(strong) asks for C(SystemDefaultTlsVersions=1) and C(SchUseStrongCrypto=1), for programs of 64 and of 32 bits.
    type: dict
    suboptions:
      v4:
        description: Version 4, C(v4.0.30319).
        type: str
        choices: [strong, default, unmanaged]
      v2:
        description: Version 2, C(v2.0.50727).
        type: str
        choices: [strong, default, unmanaged]
  winhttp:
    description:
      - A wish for C(DefaultSecureProtocols) of WinHTTP. Only Windows Server 2008 R2 and 2012 use it; elsewhere it is not
        applicable.
      - V(tls12) asks that TLS 1.2 is among the versions, V(tls12_only) that it is the only one.
    type: str
    choices: [tls12, tls12_only, default, unmanaged]
  renegotiation:
    description:
      - A wish for renegotiation. V(strict) asks for C(AllowInsecureRenegoClients=0) and C(AllowInsecureRenegoServers=0).
    type: str
    choices: [strict, default, unmanaged]
  ciphers:
    description:
      - Wishes for SCHANNEL ciphers by name, such as V(RC4 128/128), with V(enabled), V(disabled), V(default) or
        V(unmanaged). A slash belongs to the name of one key.
    type: dict
    default: {}
  hashes:
    description:
      - Wishes for SCHANNEL hashes, V(MD5), V(SHA), V(SHA256), V(SHA384) and V(SHA512), with the states of O(ciphers).
    type: dict
    default: {}
  key_exchanges:
    description:
      - Wishes for SCHANNEL key exchange algorithms, V(Diffie-Hellman), V(ECDH) and V(PKCS), with the states of O(ciphers).
    type: dict
    default: {}
  dh_min_key_length:
    description:
      - The shortest Diffie-Hellman key to accept on both sides, in bits. A longer one is right as well.
    type: int
  cipher_suites:
    description:
      - The cipher suites in order of preference. Where a policy sets the order, the policy's value is read and written, since
        Windows does not look further; otherwise the local one.
      - A name that no Windows knows is refused with the one that was probably meant. One that only other versions than the
        host's know is named in a finding.
      - Up to Windows Server 2012 R2 suites with elliptic curves have the curve in their names, such as
        V(TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256); later versions take them with and without it.
    type: list
    elements: str
    default: []
  strays:
    description:
      - What becomes of keys and values below C(SCHANNEL\Protocols) that Windows ignores, such as C(TLS 1,2) or
        C(TLS 1.2\Asiakas) from translated instructions.
      - V(report) makes findings of them that say what was probably meant, and changes nothing. V(ignore) does not look.
      - V(remove) deletes them after a backup, and shows that in check mode. What Windows looks at is never deleted, nor what
        could not be put back.
      - Both look into the same. That is every key with a wrong name (a hundred at most, the others are counted), and what is in the
        right ones; where more than seven sides are configured, in those of TLS 1.2 only.
      - Wrong names beside .NET and among ciphers, hashes and key exchanges are pointed out where the policy asks about these, and
        never deleted.
    type: str
    choices: [report, remove, ignore]
    default: report
  exchange:
    description:
      - Whether to look at Exchange and the updates of the host as well. V(report) does, where there is Exchange (2 requests without it, 9 to
        12 with it). V(ignore) does not look, so that an Exchange that is too old is no reason to refuse a change.
    type: str
    choices: [report, ignore]
    default: report
    version_added: 1.0.0
  waivers:
    description:
      - Findings that are accepted. They no longer count against the host and are not written.
    type: list
    elements: dict
    default: []
    suboptions:
      match:
        description:
          - A JMESPath expression that is held against each finding, with the keys of RV(findings). For example
            C(protocol == 'TLS 1.0' && side == 'Client').
          - Keys and functions that do not exist are refused before the host is asked. A function of what it does not fit, such
            as null, is null.
        type: str
        required: true
      reason:
        description: Why. It is shown with the finding.
        type: str
        required: true
      expires:
        description:
          - The last day (in UTC) that it counts, such as V(2026-12-31). After it the finding counts again and says so.
        type: str
  fail_on:
    description:
      - A JMESPath expression as in O(waivers[].match). The task fails where a finding matches. Its result has
        those findings, and the settings at a glance (C(overview)).
      - C(severity == 'high' && (status == 'noncompliant' || status == 'not_configured')) is an example.
    type: str
requirements:
  - jmespath 1.0.1 or newer on the controller, for O(waivers) and O(fail_on) only
"""
