# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML namespaces and action URIs of WS-Management as Windows uses them."""

from __future__ import annotations

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ANONYMOUS = f"{ADDRESSING}/role/anonymous"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
CIM_BINDING = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
CIM_COMMON = "http://schemas.dmtf.org/wbem/wscim/1/common"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
FAULT_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
WQL_DIALECT = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
EXTENDED_STATUS = f"{WMI}/root/cimv2/__ExtendedStatus"

GET = f"{TRANSFER}/Get"
CREATE = f"{TRANSFER}/Create"
DELETE = f"{TRANSFER}/Delete"
ENUMERATE = f"{ENUMERATION}/Enumerate"
PULL = f"{ENUMERATION}/Pull"
RELEASE = f"{ENUMERATION}/Release"

#: The three namespaces in which newer stacks deliver the same WMI error.
WMI_ERROR = {
    "cim": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError",
    "storage": f"{WMI}/root/microsoft/windows/storage/MSFT_WmiError",
    "standardcimv2": f"{WMI}/root/standardcimv2/MSFT_WmiError",
}
