# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The cipher suites that Windows knows, by version: what each is made of, and which names mean nothing where. Data.

Sources: Microsoft, "Cipher Suites in TLS/SSL (Schannel SSP)" with its pages for Windows 7, 8, 8.1, 10 v1607, 10 v1809
and Server 2022 "and later". Up to 2012 R2 the GCM suites came with updates, which TLS 1.2 in Exchange wants as well.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t

# The builds that a page speaks of, oldest first. Of others, such as 2008 SP2, no page says what they know.
_PAGES = {
    7600: "2008 R2",
    7601: "2008 R2",
    9200: "2012",
    9600: "2012 R2",
    14393: "2016",
    17763: "2019",
    20348: "2022",
    26100: "2025",
}
_GENERATIONS = tuple(dict.fromkeys(_PAGES.values()))
_OLD, _NEW = _GENERATIONS[:3], _GENERATIONS[3:]
_CURVES = ("256", "384", "521")


# Kinds of certificates.
RSA, ECDSA = "RSA", "ECDSA"


@dataclasses.dataclass(frozen=True)
class Suite:
    """One suite. Its parts bear the names of the keys below SCHANNEL that switch them; empty where there is none.

    ``windows``: the versions that know this very name.
    """

    name: str
    protocols: frozenset[str]
    key_exchange: str
    authentication: str
    cipher: str
    hash: str
    windows: frozenset[str]

    @property
    def for_mail(self) -> bool:
        """Whether it fits the usual certificates (RSA) and the mail servers of today, which take nothing before AES."""
        return self.fits(RSA)

    def fits(self, certificate: str) -> bool:
        """The same for a kind of certificate, such as :data:`RSA`."""
        return self.authentication in (certificate, "") and self.cipher.startswith(("AES", "ChaCha20"))


# name | versions | key exchange | authentication | cipher | hash | Windows | curves
#
# Windows up to 2012 R2 knows a suite with an elliptic curve under the names that end in one of the curves given here,
# such as TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA_P256, and under no other. Later ones take the name with and without it.
_TABLE = """
TLS_AES_256_GCM_SHA384                  | 1.3       | -    | -     | AES 256/256    | SHA384 | 2022+
TLS_AES_128_GCM_SHA256                  | 1.3       | -    | -     | AES 128/128    | SHA256 | 2022+
TLS_CHACHA20_POLY1305_SHA256            | 1.3       | -    | -     | ChaCha20       | SHA256 | 2022+
TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 | 1.2       | ECDH | ECDSA | AES 256/256    | SHA384 | 2016+    | 384 521
TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 | 1.2       | ECDH | ECDSA | AES 128/128    | SHA256 | 2016+    | 256 384 521
TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384   | 1.2       | ECDH | RSA   | AES 256/256    | SHA384 | 2016+
TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256   | 1.2       | ECDH | RSA   | AES 128/128    | SHA256 | 2016+
TLS_DHE_RSA_WITH_AES_256_GCM_SHA384     | 1.2       | DH   | RSA   | AES 256/256    | SHA384 | all
TLS_DHE_RSA_WITH_AES_128_GCM_SHA256     | 1.2       | DH   | RSA   | AES 128/128    | SHA256 | all
TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 | 1.2       | ECDH | ECDSA | AES 256/256    | SHA384 | 2016+    | 384 521
TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 | 1.2       | ECDH | ECDSA | AES 128/128    | SHA256 | 2016+    | 256 384 521
TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384   | 1.2       | ECDH | RSA   | AES 256/256    | SHA384 | 2016+    | 256 384 521
TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256   | 1.2       | ECDH | RSA   | AES 128/128    | SHA256 | 2016+    | 256 384 521
TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA    | 1.0-1.2   | ECDH | ECDSA | AES 256/256    | SHA    | 2016+    | 256 384 521
TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA    | 1.0-1.2   | ECDH | ECDSA | AES 128/128    | SHA    | 2016+    | 256 384 521
TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA      | 1.0-1.2   | ECDH | RSA   | AES 256/256    | SHA    | 2016+    | 256 384 521
TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA      | 1.0-1.2   | ECDH | RSA   | AES 128/128    | SHA    | 2016+    | 256 384 521
TLS_DHE_RSA_WITH_AES_256_CBC_SHA        | 1.0-1.2   | DH   | RSA   | AES 256/256    | SHA    | not 2012
TLS_DHE_RSA_WITH_AES_128_CBC_SHA        | 1.0-1.2   | DH   | RSA   | AES 128/128    | SHA    | not 2012
TLS_RSA_WITH_AES_256_GCM_SHA384         | 1.2       | PKCS | RSA   | AES 256/256    | SHA384 | all
TLS_RSA_WITH_AES_128_GCM_SHA256         | 1.2       | PKCS | RSA   | AES 128/128    | SHA256 | all
TLS_RSA_WITH_AES_256_CBC_SHA256         | 1.2       | PKCS | RSA   | AES 256/256    | SHA256 | all
TLS_RSA_WITH_AES_128_CBC_SHA256         | 1.2       | PKCS | RSA   | AES 128/128    | SHA256 | all
TLS_RSA_WITH_AES_256_CBC_SHA            | 1.0-1.2   | PKCS | RSA   | AES 256/256    | SHA    | all
TLS_RSA_WITH_AES_128_CBC_SHA            | 1.0-1.2   | PKCS | RSA   | AES 128/128    | SHA    | all
TLS_DHE_DSS_WITH_AES_256_CBC_SHA256     | 1.2       | DH   | DSS   | AES 256/256    | SHA256 | all
TLS_DHE_DSS_WITH_AES_128_CBC_SHA256     | 1.2       | DH   | DSS   | AES 128/128    | SHA256 | all
TLS_DHE_DSS_WITH_AES_256_CBC_SHA        | 1.0-1.2   | DH   | DSS   | AES 256/256    | SHA    | all
TLS_DHE_DSS_WITH_AES_128_CBC_SHA        | 1.0-1.2   | DH   | DSS   | AES 128/128    | SHA    | all
TLS_RSA_WITH_3DES_EDE_CBC_SHA           | 1.0-1.2   | PKCS | RSA   | Triple DES 168 | SHA    | all
TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA       | SSL 3-1.2 | DH   | DSS   | Triple DES 168 | SHA    | all
TLS_RSA_WITH_RC4_128_SHA                | SSL 3-1.2 | PKCS | RSA   | RC4 128/128    | SHA    | all
TLS_RSA_WITH_RC4_128_MD5                | SSL 3-1.2 | PKCS | RSA   | RC4 128/128    | MD5    | all
TLS_RSA_WITH_DES_CBC_SHA                | SSL 3-1.2 | PKCS | RSA   | DES 56/56      | SHA    | all
TLS_DHE_DSS_WITH_DES_CBC_SHA            | SSL 3-1.2 | DH   | DSS   | DES 56/56      | SHA    | all
TLS_DHE_DSS_EXPORT1024_WITH_DES_CBC_SHA | SSL 3-1.2 | DH   | DSS   | DES 56/56      | SHA    | all
TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA     | SSL 3-1.2 | PKCS | RSA   | DES 56/56      | SHA    | all
TLS_RSA_EXPORT1024_WITH_RC4_56_SHA      | SSL 3-1.2 | PKCS | RSA   | RC4 56/128     | SHA    | all
TLS_RSA_EXPORT_WITH_RC4_40_MD5          | SSL 3-1.2 | PKCS | RSA   | RC4 40/128     | MD5    | all
TLS_RSA_WITH_NULL_SHA256                | 1.2       | PKCS | RSA   | NULL           | SHA256 | all
TLS_RSA_WITH_NULL_SHA                   | SSL 3-1.2 | PKCS | RSA   | NULL           | SHA    | all
TLS_RSA_WITH_NULL_MD5                   | SSL 3-1.2 | PKCS | RSA   | NULL           | MD5    | all
TLS_PSK_WITH_AES_256_GCM_SHA384         | 1.2       | -    | PSK   | AES 256/256    | SHA384 | 2016+
TLS_PSK_WITH_AES_128_GCM_SHA256         | 1.2       | -    | PSK   | AES 128/128    | SHA256 | 2016+
TLS_PSK_WITH_AES_256_CBC_SHA384         | 1.2       | -    | PSK   | AES 256/256    | SHA384 | 2016+
TLS_PSK_WITH_AES_128_CBC_SHA256         | 1.2       | -    | PSK   | AES 128/128    | SHA256 | 2016+
TLS_PSK_WITH_NULL_SHA384                | 1.2       | -    | PSK   | NULL           | SHA384 | 2016+
TLS_PSK_WITH_NULL_SHA256                | 1.2       | -    | PSK   | NULL           | SHA256 | 2016+
SSL_CK_RC4_128_WITH_MD5                 | SSL 2     | PKCS | RSA   | RC4 128/128    | MD5    | -2012 R2
SSL_CK_DES_192_EDE3_CBC_WITH_MD5        | SSL 2     | PKCS | RSA   | Triple DES 168 | MD5    | -2012 R2
SSL_CK_DES_64_CBC_WITH_MD5              | SSL 2     | PKCS | RSA   | DES 56/56      | MD5    | -2012 R2
SSL_CK_RC4_128_EXPORT40_WITH_MD5        | SSL 2     | PKCS | RSA   | RC4 40/128     | MD5    | -2012 R2
"""

_VERSIONS = {
    "1.3": ("TLS 1.3",),
    "1.2": ("TLS 1.2",),
    "1.0-1.2": ("TLS 1.0", "TLS 1.1", "TLS 1.2"),
    "SSL 3-1.2": ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2"),
    "SSL 2": ("SSL 2.0",),
}
_WINDOWS = {
    "all": _GENERATIONS,
    "2016+": _NEW,
    "2022+": ("2022", "2025"),
    "-2012 R2": _OLD,
    "not 2012": tuple(name for name in _GENERATIONS if name != "2012"),
}


_KEY_EXCHANGES = {"DH": "Diffie-Hellman", "ECDH": "ECDH", "PKCS": "PKCS", "-": ""}


def _read(line: str) -> t.Iterator[Suite]:
    cells = [cell.strip() for cell in line.split("|")]
    name, versions, key_exchange, authentication, cipher, hash_name, windows, curves = (*cells, "")[:8]
    suite = Suite(
        name,
        frozenset(_VERSIONS[versions]),
        _KEY_EXCHANGES[key_exchange],
        authentication.strip("-"),
        cipher,
        hash_name,
        frozenset(_WINDOWS[windows]),
    )
    yield suite
    if key_exchange == "ECDH":
        for curve in _CURVES:
            known = (*(_OLD if curve in curves else ()), *_NEW)
            yield dataclasses.replace(suite, name=f"{name}_P{curve}", windows=frozenset(known))


SUITES: t.Mapping[str, Suite] = {suite.name: suite for line in _TABLE.strip().splitlines() for suite in _read(line)}


def tabled(build: int) -> bool:
    """Whether a page says what this Windows knows."""
    return build in _PAGES


def knows(build: int, name: str) -> bool:
    """Whether this Windows knows a suite by this name. Where no page says it, one that any Windows knows counts."""
    suite = SUITES.get(name.upper())
    return suite is not None and (_PAGES.get(build) in suite.windows or not tabled(build))


def nearest(name: str) -> str | None:
    """The name that was probably meant: one that goes on where this one ends, or that looks most alike."""
    ending = re.search(r"_P\d+$", name)
    names = {_fold(known): known for known in SUITES if bool(ending) is bool(re.search(r"_P\d+$", known))}
    folded = _fold(name)
    longer = [known for fold, known in names.items() if len(folded) >= _TELLING and fold.startswith(folded)]
    close = longer or [names[fold] for fold in difflib.get_close_matches(folded, names, n=1, cutoff=0.75)]
    return close[0] if close else None


# Letters before the beginning of a name says which one is meant.
_TELLING = 10


def _fold(name: str) -> str:
    """``ECDHE-RSA-AES256-GCM-SHA384``, as others call it, comes near the name that Windows has for it."""
    return re.sub(r"[^A-Z0-9]", "", name.upper().replace("_WITH", ""))
