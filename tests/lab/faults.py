# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as Windows words them, and the ones an experiment may ask for by name.

Numbers, codes and subcodes are those of the captures and header files named in the project's notes on WS-Management:
where only a number is proven, the envelope follows its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

from . import namespaces as ns

WMI_PROVIDER = ("WMI Provider", r"%systemroot%\system32\WsmWmiPl.dll")


@dataclass(frozen=True)
class ExtendedStatus:
    """WMI's __ExtendedStatus object inside a fault."""

    operation: str
    parameter: str
    description: str


@dataclass(frozen=True)
class Fault:
    """One SOAP fault, independent of the request it answers."""

    code: str
    subcode: str | None
    number: int
    reason: str
    detail: str | None = None
    provider: tuple[str, str] | None = None
    provider_text: str = ""
    status: ExtendedStatus | None = None
    wmi_error: str | None = None
    cim_status: int = 1

    @property
    def action(self) -> str:
        """The Action header of the reply: it depends on which specification defines the fault."""
        prefix = (self.subcode or "").partition(":")[0]
        if prefix == "a" or (self.subcode is None and self.code != "s:Receiver"):
            return f"{ns.ADDRESSING}/fault"
        if prefix == "n":
            return f"{ns.ENUMERATION}/fault"
        return "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"

    def body(self, machine: str) -> str:
        """The content of s:Body."""
        subcode = f"<s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode>" if self.subcode else ""
        detail = self._wmi_error_detail() if self.wmi_error else self._wsman_detail(machine)
        return (
            f"<s:Fault><s:Code><s:Value>{self.code}</s:Value>{subcode}</s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{escape(self.reason)}</s:Text></s:Reason>'
            f"<s:Detail>{detail}</s:Detail></s:Fault>"
        )

    def _wsman_detail(self, machine: str) -> str:
        uri = f"<w:FaultDetail>{ns.FAULT_DETAIL}/{self.detail}</w:FaultDetail>" if self.detail else ""
        message = escape(self.reason)
        if self.provider is not None:
            name, path = self.provider
            inner = escape(self.provider_text) if self.status is None else self._provider_error(machine, self.status)
            message = f"<f:ProviderFault provider={quoteattr(name)} path={quoteattr(path)}>{inner}</f:ProviderFault>"
        return (
            f'{uri}<f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="{self.number}" Machine={quoteattr(machine)}>'
            f"<f:Message>{message}</f:Message></f:WSManFault>"
        )

    def _provider_error(self, machine: str, status: ExtendedStatus) -> str:
        return (
            f'<f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="{self.number}" Machine={quoteattr(machine)}>'
            f"<f:Message>{escape(self.provider_text or self.reason)}</f:Message></f:WSManFault>"
            f'<f:ExtendedError><p:__ExtendedStatus xmlns:xsi="{ns.XSI}" xmlns:p="{ns.EXTENDED_STATUS}" '
            f'xmlns:cim="{ns.CIM_COMMON}" xsi:type="p:__ExtendedStatus_Type">'
            f"<p:Description>{escape(status.description)}</p:Description>"
            f"<p:Operation>{escape(status.operation)}</p:Operation>"
            f"<p:ParameterInfo>{escape(status.parameter)}</p:ParameterInfo>"
            '<p:ProviderName>WinMgmt</p:ProviderName><p:StatusCode xsi:nil="true"/>'
            "</p:__ExtendedStatus></f:ExtendedError>"
        )

    def _wmi_error_detail(self) -> str:
        uri = ns.WMI_ERROR[str(self.wmi_error)]
        fields = (
            ("CIMStatusCode", "cimUnsignedInt", str(self.cim_status)),
            ("CIMStatusCodeDescription", "cimString", None),
            ("ErrorSource", "cimString", None),
            ("ErrorSourceFormat", "cimUnsignedShort", "0"),
            ("ErrorType", "cimUnsignedShort", "0"),
            ("Message", "cimString", self.reason),
            ("MessageID", "cimString", f"HRESULT 0x{self.number:08x}"),
            ("OtherErrorSourceFormat", "cimString", None),
            ("OwningEntity", "cimString", None),
            ("PerceivedSeverity", "cimUnsignedShort", "0"),
            ("ProbableCause", "cimUnsignedShort", "0"),
            ("ProbableCauseDescription", "cimString", None),
            ("error_Category", "cimUnsignedInt", "0"),
            ("error_Code", "cimUnsignedInt", str(self.number)),
            ("error_Type", "cimString", "HRESULT"),
            ("error_WindowsErrorMessage", "cimString", self.reason),
        )
        inner = "".join(
            f'<p:{name} xsi:type="cim:{kind}" xsi:nil="true"/>'
            if value is None
            else f'<p:{name} xsi:type="cim:{kind}">{escape(value)}</p:{name}>'
            for name, kind, value in fields
        )
        return (
            f'<p:MSFT_WmiError xmlns:b="{ns.CIM_BINDING}" xmlns:p="{uri}" xmlns:cim="{ns.CIM_COMMON}" '
            f'xmlns:xsi="{ns.XSI}" b:IsCIM_Error="true" xsi:type="p:MSFT_WmiError_Type">{inner}</p:MSFT_WmiError>'
        )


class SoapFault(Exception):
    """Raised anywhere below the HTTP layer to answer the request with a fault (HTTP 500)."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.number}: {fault.reason}")
        self.fault = fault


class HttpReply(Exception):
    """Raised to answer the request with a bare HTTP reply instead of SOAP."""

    def __init__(
        self, status: int, body: bytes = b"", content_type: str | None = None, retry_after: str | None = None
    ) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body
        self.content_type = content_type
        self.retry_after = retry_after


class Cut(Exception):
    """Raised to end the connection without another byte."""


def _sender(subcode: str, number: int, reason: str, detail: str | None = None) -> Fault:
    return Fault("s:Sender", subcode, number, reason, detail)


INVALID_HEADER = _sender(
    "a:InvalidMessageInformationHeader",
    2150858767,
    "The WS-Management service cannot process the request. The request contains one or more invalid SOAP headers.",
)
HEADER_REQUIRED = _sender(
    "a:MessageInformationHeaderRequired",
    2150858769,
    "The WS-Management service cannot process the request. The request does not have all the expected SOAP headers.",
)
MUST_UNDERSTAND = Fault(
    "s:MustUnderstand",
    None,
    2150858768,
    "The WS-Management service cannot process a SOAP header in the request that is marked as mustUnderstand by the "
    "client. This could be caused by the use of a version of the protocol which is not supported, or may be an "
    "incompatibility between the client and server implementations.",
)
VERSION_MISMATCH = Fault(
    "s:VersionMismatch",
    None,
    2150858765,
    "The WS-Management service does not support the SOAP version specified in the request.",
)
INVALID_XML = _sender(
    "w:SchemaValidationError",
    2150858819,
    "The WS-Management service cannot process the request because the XML is invalid.",
)
SCHEMA_ERROR = _sender(
    "w:SchemaValidationError",
    2150858817,
    "The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML and retry.",
)
INVALID_BODY = _sender(
    "w:SchemaValidationError",
    2150858791,
    "The WS-Management service cannot process the request because the request packet does not have a valid SOAP body.",
)
INVALID_NAMESPACE = _sender(
    "x:InvalidRepresentation",
    2150858840,
    "The WS-Management service cannot identify the format of the object passed to a Put or Create method. "
    "The XML namespace for the input XML is invalid. Change the XML namespace for the input XML in the request.",
    "InvalidNamespace",
)
MISSING_VALUES = _sender(
    "x:InvalidRepresentation",
    2150858839,
    "The WS-Management service cannot process the request because the XML content has missing values.",
    "MissingValues",
)
INVALID_PARAMETER_NAME = _sender(
    "w:InvalidParameter",
    2150858837,
    "The WS-Management service cannot process the request. A parameter name is invalid.",
    "InvalidName",
)
PARAMETER_TYPE = _sender(
    "w:InvalidParameter",
    2150858836,
    "The WS-Management service cannot process the request. A parameter that is required for the operation is not the "
    "correct type.",
    "TypeMismatch",
)
INVALID_URI = _sender(
    "a:DestinationUnreachable",
    2150858754,
    "The WS-Management service cannot process the request. The resource URI is missing or it has an incorrect format. "
    'Check the documentation or use the following command for information on how to construct a resource URI: "winrm '
    'help uris". ',
    "InvalidResourceURI",
)
NOT_FOUND = replace(
    _sender(
        "a:DestinationUnreachable",
        2150858752,
        "The WS-Management service cannot process the request. The service cannot find the resource identified by the "
        "resource URI and selectors.",
        "InvalidResourceURI",
    ),
    provider=WMI_PROVIDER,
)
ACTION_NOT_SUPPORTED = _sender(
    "a:ActionNotSupported",
    2150858771,
    "The WS-Management service does not support the action specified in the request.",
)
UNEXPECTED_SELECTORS = _sender(
    "w:InvalidSelectors",
    2150858843,
    "The WS-Management service cannot process the request because the request contained invalid selectors for the "
    "resource.",
    "UnexpectedSelectors",
)
DUPLICATE_SELECTORS = _sender(
    "w:InvalidSelectors",
    2150858847,
    "The WS-Management service cannot process the request because the request contains duplicate selectors.",
    "DuplicateSelectors",
)
CIM_NAMESPACE = _sender(
    "w:InvalidSelectors",
    2150858845,
    "The WS-Management service cannot process the request because a value for the selector is invalid: the "
    "__cimnamespace selector does not match the namespace in the resource URI.",
    "InvalidSelectorValue",
)
NOT_SINGLETON = _sender(
    "w:InvalidSelectors",
    2150859002,
    "The WS-Management service cannot process the request. The resource URI (class) is not a singleton: it needs key "
    "selectors.",
    "InsufficientSelectors",
)
SHELL_NOT_FOUND = replace(
    UNEXPECTED_SELECTORS,
    provider=("Shell cmd plugin", r"%systemroot%\system32\winrscmd.dll"),
    provider_text="The request for the Windows Remote Shell with ShellId failed because the shell was not found on the "
    "server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the server. "
    "Provide the correct ShellId or create a new shell and retry the operation.",
)
TIMED_OUT = Fault(
    "s:Receiver",
    "w:TimedOut",
    2150858793,
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
)
CANNOT_PROCESS_FILTER = replace(
    _sender(
        "n:CannotProcessFilter",
        2150858778,
        "The data source could not process the filter. The filter might be missing or it might be invalid. Change the "
        "filter and try the request again. ",
    ),
    provider=WMI_PROVIDER,
)
FILTER_DIALECT = _sender(
    "n:FilterDialectRequestedUnavailable",
    2150858777,
    "The filter dialect (the type associated with the filter) was not supported for this resource. Change the filter "
    "dialect or remove it from the request and try the request again.",
)
INVALID_CONTEXT = Fault(
    "s:Receiver",
    "n:InvalidEnumerationContext",
    2150858779,
    "The WS-Enumeration context in the enumeration is not valid. Enumeration may have been completed or canceled. You "
    "cannot use this enumeration context anymore. Start a new enumeration.",
)
SHELL_QUOTA = replace(
    _sender(
        "w:QuotaLimit",
        2150859173,
        "The WS-Management service cannot process the request. This user has exceeded the maximum number of concurrent "
        "shells allowed for this plugin. Close at least one open shell or raise the plugin quota for this user.",
    ),
    wmi_error="cim",
    cim_status=27,
)
TOO_MANY_OPERATIONS = Fault(
    "s:Receiver",
    "w:InternalError",
    2150859174,
    "The WS-Management service cannot process the request. The maximum number of concurrent operations for this user "
    "has been exceeded. Close existing operations for this user, or raise the quota for this user.",
)
ACCESS_DENIED = _sender("w:AccessDenied", 5, "Access is denied. ")
ACCESS_DENIED_SHELL = Fault("s:Receiver", "w:InternalError", 2147942405, "Access is denied. ")
WMI_ACCESS_DENIED = replace(
    _sender("w:AccessDenied", 2150859012, "The WMI service returned an 'access denied' error. "),
    provider=WMI_PROVIDER,
)
PROVIDER_CANNOT = replace(
    Fault(
        "s:Receiver",
        "w:InternalError",
        2150859010,
        "The WMI service or the WMI provider returned an unknown error: HRESULT 0x80041024 ",
    ),
    provider=WMI_PROVIDER,
    status=ExtendedStatus("ExecMethod", "StdRegProv", "Provider is not capable of the attempted operation "),
)
ENCODING_LIMIT = _sender(
    "w:EncodingLimit",
    2150858805,
    "The WS-Management service cannot process the request because the encoding of the request exceeds an internal "
    "encoding limit. Reconfigure the client to send messages which fit the encoding limits of the service.",
    "MaxEnvelopeSize",
)
RESPONSE_TOO_LARGE = _sender(
    "w:EncodingLimit",
    2150858824,
    "The response that the WS-Management service computed exceeds the maximum envelope size in the request.",
    "MaxEnvelopeSize",
)
ENVELOPE_TOO_SMALL = _sender(
    "w:EncodingLimit",
    2150858878,
    "The maximum envelope size in the request is too small. Change the maximum envelope size and try the request "
    "again.",
    "MinimumEnvelopeLimit",
)
INVALID_TIMEOUT = _sender(
    "a:InvalidMessageInformationHeader",
    2150858881,
    "The WS-Management service cannot process the request because the OperationTimeout header is not valid.",
)
UNSUPPORTED_LOCALE = _sender(
    "w:UnsupportedFeature",
    2150858887,
    "The WS-Management service cannot guarantee that all data is returned in the requested locale as some data sources "
    "may not be able to comply. Resend the remote request with locale as a hint (the SOAP header should have "
    'mustUnderstand="false")',
    "Locale",
)
UNSUPPORTED_FEATURE = _sender(
    "w:UnsupportedFeature",
    2150858818,
    "The WS-Management service does not support the specified feature. Remove the unsupported feature from the request "
    "and retry.",
)
INVALID_CHARACTERS = Fault(
    "s:Receiver",
    "w:InternalError",
    2150859018,
    "The WS-Management service cannot process the request: the response contains characters that XML does not allow.",
)


def because(fault: Fault, explanation: str) -> SoapFault:
    """The fault with the lab's own explanation behind Windows' words, so that a failing test says what was wrong."""
    return SoapFault(replace(fault, reason=f"{fault.reason.rstrip()} ({explanation})"))


def with_status(fault: Fault, operation: str, parameter: str, description: str) -> SoapFault:
    """The fault with WMI's extended status object."""
    return SoapFault(replace(fault, status=ExtendedStatus(operation, parameter, description)))


#: Faults that the quirk "fault" knows by name: one per row of the table of docs/reference/wsman.md 1.6.
BY_KIND: dict[str, Fault] = {
    "invalid_selectors": SHELL_NOT_FOUND,
    "timeout": TIMED_OUT,
    "bad_header": INVALID_HEADER,
    "invalid_class": replace(
        CANNOT_PROCESS_FILTER, status=ExtendedStatus("ExecQuery", "StdRegProv", "Invalid class "), cim_status=5
    ),
    "not_found": replace(NOT_FOUND, status=ExtendedStatus("GetObject", "StdRegProv", "Not found "), cim_status=6),
    "not_singleton": NOT_SINGLETON,
    "shell_quota": SHELL_QUOTA,
    "too_many_operations": TOO_MANY_OPERATIONS,
    "access_denied": replace(ACCESS_DENIED, cim_status=2),
    "access_denied_shell": replace(ACCESS_DENIED_SHELL, cim_status=2),
    "wmi_access_denied": replace(WMI_ACCESS_DENIED, cim_status=2),
    "provider_cannot": PROVIDER_CANNOT,
}

_SERVICE_UNAVAILABLE = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    b"<HTML><HEAD><TITLE>Service Unavailable</TITLE>\r\n"
    b'<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n'
    b"<BODY><h2>Service Unavailable</h2>\r\n<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n"
    b"</BODY></HTML>\r\n"
)

HTTP_KINDS: dict[str, tuple[int, bytes, str | None] | tuple[int, bytes, str | None, str]] = {
    "http_400_empty": (400, b"", None),
    "http_429_empty": (429, b"", None, "1"),
    "http_404_empty": (404, b"", None),
    "http_500_empty": (500, b"", None),
    "http_503_html": (503, _SERVICE_UNAVAILABLE, "text/html; charset=us-ascii"),
}

KINDS = frozenset(BY_KIND) | frozenset(HTTP_KINDS)


def ordered(kind: str, encoding: str | None = None) -> SoapFault | HttpReply:
    """The fault or bare HTTP reply of that name.

    *encoding* names one of the three MSFT_WmiError namespaces in which the fault is to be delivered.
    """
    if kind in HTTP_KINDS:
        return HttpReply(*HTTP_KINDS[kind])
    fault = BY_KIND[kind]
    if encoding is not None:
        fault = replace(fault, wmi_error=encoding)
    return SoapFault(fault)
