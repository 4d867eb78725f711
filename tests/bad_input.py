"""What nobody should type into a form, and somebody does."""

from __future__ import annotations

TEXTS = [
    "",
    " ",
    "a",
    "a" * 200,
    "a" * 201,
    "a" * 100_000,
    "\x00",
    "a\r\nb",
    "\u202eevil\u202c",
    "👩‍👩‍👧‍👦",
    "Ω≈ç√∫ مرحبا",
    "-1",
    "0",
    "-0",
    "NaN",
    "Infinity",
    "1e400",
    "1e-400",
    "9" * 400,
    "1_000",
    "٣",
    "1,0,0",
    "0x10",
    "2020-01-01T00:00",
    "9999-12-31T23:59",
    "2030-02-30T00:00",
    "2030-01-01T00:00+05:30",
    "2030-01-01T00:00Z",
    "0001-01-01",
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "' OR '1'='1",
    "../../etc/passwd",
    "javascript:alert(1)",
    "null",
    "[]",
    '{"a": 1}',
    "[" * 50_000,
    "true",
    "on",
]
# As percent-encoded bytes: a lone surrogate, an overlong slash, a byte that begins nothing, UTF-16.
BYTES = ["%ED%A0%80", "%C0%AF", "%FF", "%FE%FF%00a"]

# One of each kind, where nothing much is parsed.
FEWER = [*TEXTS[1:20:2], *TEXTS[23:28], "<script>alert(1)</script>", "' OR '1'='1", "[]"]
