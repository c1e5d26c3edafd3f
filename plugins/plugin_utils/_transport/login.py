# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Logins that fail: what is known of a login, and what its failure means. Pure, but for reading what came."""

from __future__ import annotations

import dataclasses
import re
import typing as t
import urllib.parse

from .._errors import LoginRefused
from .._text import visible
from .line import Line, closes

_USUAL_CURE = (
    "Check user, password and the allowed authentication (ansible_winrm_transport or ansible_psrp_auth); basic works "
    "for local accounts only."
)


@dataclasses.dataclass(frozen=True)
class Login:
    """How a channel logs in, for messages."""

    how: str  # the transport or authentication as the library calls it
    endpoint: str
    user: str = ""
    password: str = dataclasses.field(default="", repr=False)

    @property
    def secure(self) -> bool:
        return self.endpoint.lower().startswith("https:")

    def without_secret(self, message: str) -> str:
        if self.password:
            # as it is, and as Python shows it inside other values
            for form in (self.password, repr(self.password)[1:-1]):
                message = message.replace(form, "********")
        return re.sub(r"//[^/@\s]+@", "//********@", message)

    def told(self, text: object) -> str:
        """What a library or the host said, without the password, visible and short."""
        return visible(self.without_secret(str(text)))

    @property
    def port_hint(self) -> str:
        """Where scheme and port contradict each other."""
        address = urllib.parse.urlsplit(self.endpoint)
        other = {("http", 5986): "https", ("https", 5985): "http"}.get((address.scheme, address.port or 0))
        if other is None:
            return ""
        return (
            f" Port {address.port} is usually WinRM over {other}, but {address.scheme} was spoken to it: set "
            f"ansible_winrm_scheme or ansible_psrp_protocol to {other}, or change ansible_port."
        )


# pywinrm; pypsrp; requests_ntlm and requests_credssp, whose own words say no more
REFUSALS = ("InvalidCredentialsError", "AuthenticationError", "PermissionError", "AuthenticationException")
# What cannot log in with a ticket or a certificate.
_BY_PASSWORD = ("basic", "plaintext", "ntlm", "credssp")
# The schemes of WWW-Authenticate that a way to log in can use.
_SCHEMES: dict[str, set[str]] = {
    "basic": {"basic"},
    "plaintext": {"basic"},
    "ssl": {"basic"},
    "ntlm": {"negotiate", "ntlm"},
    "negotiate": {"negotiate", "ntlm", "kerberos"},
    "kerberos": {"negotiate", "kerberos"},
    "credssp": {"credssp"},
}
_TOKEN = re.compile(r"\b(?:Negotiate|NTLM|CredSSP) +[^\s,]")
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z]+)(?=\s|,|$)")

# What pywinrm says of options that do not do; MIT's and Heimdal's Kerberos, in the text of kinit, of GSSAPI and of the
# Python libraries on top; and the numbers and names with which a host ends CredSSP.
_LOGIN_CURES: tuple[tuple[str, str], ...] = (
    (r"requires a username", "no user is given; set ansible_user"),
    (r"requires a password", "no password is given; set ansible_password, or what it is read from"),
    (r"no username or password was", "no user or password is given; set ansible_user and ansible_password"),
    (
        r"CA certificate bundle",
        "there is no such file of CAs; look at ansible_winrm_ca_trust_path or ansible_psrp_ca_cert",
    ),
    (
        r"(cert\w*|key) file(,| not found)",
        (
            "there is no such file of a certificate or key; look at ansible_winrm_cert_pem and "
            "ansible_winrm_cert_key_pem, or ansible_psrp_certificate_pem and ansible_psrp_certificate_key_pem"
        ),
    ),
    (r"invalid timeout", "the timeouts of the connection must be above 0"),
    (
        r"read_timeout_sec must exceed",
        "raise ansible_winrm_read_timeout_sec above ansible_winrm_operation_timeout_sec, both more than 0",
    ),
    (
        r"STATUS_LOGON_FAILURE|0x8009030c",
        "the host refused user or password; check ansible_user and ansible_password",
    ),
    (
        r"pre-?authentication failed|password incorrect|integrity check failed",
        "the domain refused the password; check ansible_user and ansible_password",
    ),
    (
        r"client .*not found in kerberos database|client .*unknown",
        "the domain does not know this user; check ansible_user (name@REALM, the realm in capitals)",
    ),
    (
        r"server .*not found in kerberos database|server .*unknown",
        "the domain knows no service of this name; use the host's DNS name as ansible_host",
    ),
    (
        r"(contact|find|resolve|locate|reach).{0,40}\bkdc\b|\bkdc\b.{0,40}(unreach|not found)",
        "no domain controller can be asked; check /etc/krb5.conf, DNS and the way to port 88",
    ),
    (r"clock skew", "the clocks of controller and domain differ by more than five minutes"),
    (r"credentials have been revoked|STATUS_ACCOUNT_DISABLED|0xc0000234", "the account is locked or disabled"),
    (r"password has expired|must be changed|key has expired|STATUS_PASSWORD_EXPIRED", "the password has expired"),
    (
        r"no (kerberos )?credentials|no credential|credentials? cache|ticket expired|ccache",
        "there is no valid ticket; run kinit, or give ansible_user and ansible_password",
    ),
    (r"calling kinit", "install Kerberos' kinit on the controller (Debian: krb5-user), or set ansible_winrm_kinit_cmd"),
    (
        r"not installed|no module named|not available|no python gssapi",
        "install what is missing into the Python that runs Ansible, or log in in another way",
    ),
)

# A text with its number, in pairs of pairs, as pywinrm shows the errors of Kerberos.
_GSS_ERRORS = re.compile(r"\(*(['\"])(.*?)\1, -?\d+\)+(?:, )?")


def login_failed(exc: BaseException, doing: str, login: Login) -> LoginRefused:
    """A login that ended on the controller: the host has got no message."""
    said = " ".join(dict.fromkeys(str(item) for item in chain(exc) if str(item)))
    cure = next((cure for words, cure in _LOGIN_CURES if re.search(words, said, re.IGNORECASE)), None)
    told = login.told(_GSS_ERRORS.sub(r"\2. ", str(exc))).rstrip(". ")
    if cure is None:
        return LoginRefused(f"{doing}: the login failed on the controller: {type(exc).__name__}: {told}")
    return LoginRefused(f"{doing}: cannot log in with {login.how}: {cure}. It was said: {told}.")


def challenged(line: Line) -> bool:
    """Whether the last answer holds the host's part of a login."""
    return line.last is not None and bool(_TOKEN.search(str(line.last.headers.get("WWW-Authenticate") or "")))


def login_refused(doing: str, line: Line, login: Login, unread: BaseException | None = None) -> LoginRefused:
    """HTTP 401: what the answers tell of its reason. ``unread``: what a library raised while it read a challenge."""
    start = f"{doing}: the host rejected the credentials (HTTP 401)"
    told = [
        (str(response.headers.get("WWW-Authenticate") or ""), closes(response))
        for response in line.came
        if response.status_code == 401
    ]
    offered = {scheme.lower(): scheme for scheme in _SCHEME.findall(told[0][0])}
    usable = _SCHEMES.get(login.how, set())
    if offered and usable and not usable & set(offered):
        names = visible(", ".join(offered.values()), 100)
        return LoginRefused(
            f"{start}: it does not offer {login.how} authentication but {names}. Choose another one "
            "(ansible_winrm_transport or ansible_psrp_auth), or allow it on the host."
        )
    if any(closed and _TOKEN.search(text) for text, closed in told):
        return LoginRefused(
            f"{start}: something on the way closes the connection in the middle of the login (Connection: close), and "
            f"{login.how} logs in a connection. Go around the proxy (no_proxy, ansible_winrm_proxy or "
            "ansible_psrp_ignore_proxy), or use basic over https."
        )
    if unread is not None:
        return LoginRefused(
            f"{start}: its part of the login cannot be read ({type(unread).__name__}: {login.told(unread)}). Something "
            "on the way changes it, or it is no Windows. Check address and port, and go around the proxy (no_proxy, "
            "ansible_winrm_proxy or ansible_psrp_ignore_proxy)."
        )
    more = ""
    if login.how in _BY_PASSWORD and not login.password:
        return LoginRefused(f"{start}: the password is empty. Set ansible_password, or what it is read from.")
    if login.how == "certificate":
        return LoginRefused(
            f"{start}: no account of it goes with the certificate of the client. Look at its mappings "
            "(WSMan:\\localhost\\ClientCertificate: name of the user, thumbprint of the CA), make the mapping anew "
            "where the password of the account was changed, and look whether the host allows Certificate "
            "(WSMan:\\localhost\\Service\\Auth)."
        )
    if login.secure and login.how in ("ntlm", "negotiate", "kerberos", "credssp"):
        more = (
            " If they are right: Windows also refuses logins that are bound to another TLS connection than its own "
            "(channel binding; CbtHardeningLevel). Then something on the way ends TLS, or ansible_winrm_send_cbt or "
            "ansible_psrp_negotiate_send_cbt is off."
        )
    elif "basic" in usable and not (login.user + login.password).isascii():
        more = " Basic does not say in which encoding it carries letters beyond ASCII: use NTLM or Kerberos."
    if "basic" in usable and ":" in login.user:
        more += " The user of basic ends at its first colon: use NTLM or Kerberos."
    for word, text in (("user", login.user), ("password", login.password)):
        if text != text.strip():
            more += f" The {word} begins or ends with a blank or a line break: is it meant to?"
    if login.how in _BY_PASSWORD and not login.user:
        more += " The user is empty: set ansible_user."
    if login.how == "negotiate" and not login.password:
        # psrp's default way, which a ticket can go as well
        more = f" The password is empty: unless a ticket is meant, set ansible_password, or what it is read from.{more}"
    return LoginRefused(f"{start}. {_USUAL_CURE}{more}")


def chain(exc: BaseException) -> t.Iterator[BaseException]:
    """The exception, what it wraps (urllib3 puts it into args and ``reason``) and what caused it."""
    seen: list[BaseException] = []
    todo: list[t.Any] = [exc]
    while todo:
        item = todo.pop()
        if isinstance(item, BaseException) and item not in seen:
            seen.append(item)
            todo += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return iter(seen)
