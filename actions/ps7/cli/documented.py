"""What the documentation of PS7's interface names: fields, and the values that are no data. Pure.

Whatever is not here may be a customer's.
"""

from __future__ import annotations

import re

NAMES = (
    *("message", "code", "key", "expireIn", "decodedContextId", "payload", "data"),
    *("resultCode", "resultDesc", "error_code", "error_msg"),
    *("u_cpf", "u_ag", "u_cc", "u_cssc", "u_seg", "u_dest", "u_numA", "u_id", "u_dseg", "u_dsok"),
    *("u_ion", "u_display", "u_ura", "u_fmt", "u_codop", "u_tag", "u_tpid", "contexto"),
)
_NAMES = frozenset(name.casefold() for name in NAMES)

_A_CODE = r"[+-]?\d{1,3}(\.0)?"
_SECONDS = r"\d{1,7}(\.\d{1,3})?(e[+-]?\d{1,2})?"
_DATE = r"\d{4}-\d\d-\d\d([T ]\d\d:?\d\d(:?\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?"
_VALUES = {
    "code": _A_CODE,
    "resultcode": _A_CODE,
    "error_code": _A_CODE,
    "message": "success",
    "expirein": f"{_SECONDS}|{_DATE}",
    "u_id": "aut|ide|nid",
    "u_dseg": "token|csi|none",
    "u_dsok": "s|n",
    "u_seg": "varejo|uniclass|personnalit[ée]|private|empresas",
}
_PATTERNS = {
    name: re.compile(pattern, re.ASCII | re.IGNORECASE) for name, pattern in _VALUES.items()
}
WORDS = frozenset({"aut", "ide", "nid", "token", "csi", "none", "s", "n", "success"})
"""What made-up text must not say by accident."""


def is_name(text: str) -> bool:
    """Tell whether a field of this name is documented, in whatever case."""
    return text.casefold() in _NAMES


def is_no_data(name: str, text: str) -> bool:
    """Tell whether a field's value is one of its documented words, a short code or a time."""
    pattern = _PATTERNS.get(name.casefold())
    return pattern is not None and pattern.fullmatch(text.strip()) is not None
