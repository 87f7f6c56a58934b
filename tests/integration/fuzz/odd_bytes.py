"""Tables of bytes that no decent client sends, by the part of a request that they stand in for."""

from __future__ import annotations

BODIES = (
    b"", b"null", b"7", b"[]", b'"x"', b"{}", b"{" * 100_000, b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"recipient":' + b"9" * 10_000 + b"}", b'{"message":1e999}', b'{"message":NaN}', b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b"\x00" * 1000, b'{"recipient":{"id":"\\ud800"},"message":{"text":"\\udfff"}}',
    b'{"message":"\xff\xff"}', b'{"recipient":{"id":"7"},"message":{"text":"\x00"}}',
    b'{"recipient":{"id":"7"},"message":{"text":' + b"[" * 5000 + b"}}",
)  # fmt: skip  # a table
CONTENT_TYPES = (
    "application/json", "application/json; charset=utf-16", "text/plain", "", "application/json;" * 50,
)  # fmt: skip  # a table
FORMS = (
    b"recipient=%7B%22id%22%3A&message=x", b"recipient=%ff%fe&message=%00", b"%", b"&" * 5000, b"a=b&" * 1500,
    b"recipient={'id':'7'&message={'text':", b"message=" + b"[" * 20_000, b"recipient=" + b"%7B" * 20_000, b"\xe9=\xe8",
    b"recipient={'id':'7'}&recipient={'id':'8'}&message={'text':7}", b"recipient=%C3&message=%A9", b"=" * 100,
)  # fmt: skip  # a table
_PART = b'--b\r\nContent-Disposition: form-data; name="message"\r\n\r\n{"attachment":{"type":"image","payload":{}}}\r\n'
_FILE = (
    b'--b\r\nContent-Disposition: form-data; name="filedata"; filename="x"\r\nContent-Type: image/png\r\n\r\nPNG\r\n'
)
MULTIPARTS = (
    _PART, _PART + _FILE, _PART + b"--b", _PART * 2 + b"--b--", b"--b--", b"--b\r\n\r\n\r\n--b--", b"--c\r\n" + _PART,
    _PART + _FILE * 2 + b"--b--\r\n", _PART.replace(b"name", b"eman") + b"--b--", b"\r\n--b" * 5000,
    _PART.replace(b"\r\n", b"\n") + b"--b--\n", b"--b\r\n" * 3 + b"--b--",
    b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xff\r\n--b--',
)  # fmt: skip  # a table
BOUNDARIES = (
    "multipart/form-data; boundary=b", 'multipart/form-data; boundary="b"', "multipart/form-data",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 100, "multipart/mixed; boundary=b",
    'multipart/form-data; boundary="', "multipart/form-data; boundary=\xff",
)  # fmt: skip  # a table
_POST = b"POST /me/messages HTTP/1.1\r\n"
REQUESTS = (
    b"GET\r\n\r\n", b"\r\n\r\n", b"POST /me/messages\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00", b"POST /me/messages HTTP/9.9\r\nHost: x\r\n\r\n",
    b"POST  /me/messages HTTP/1.1\r\n\r\n", b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /me/messages HTTP/1.1\nHost: x\n\n", _POST + b"Host\r\n\r\n", b"POST \xff\xfe HTTP/1.1\r\n\r\n",
    _POST + b"Content-Length: -1\r\n\r\n", _POST + b"Content-Length: x\r\n\r\n", _POST + b": x\r\n\r\n",
    _POST + b"Content-Length: 99999999999999999999\r\n\r\n", b"POST /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", _POST + b"Content-Length: 500\r\n\r\nshort",
    b"GET /me/messages HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"y" * 300_000 + b"\r\n\r\n",
)  # fmt: skip  # a table
CHUNKS = (
    b"x\r\nhello\r\n0\r\n\r\n", b"5\r\nhel", b"ffffffffffffffff\r\nx", b"-5\r\nhello\r\n0\r\n\r\n",
    b"5;a=b\r\nhello\r\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n",
    b"5\nhello\n0\n\n", b"1\r\n{\r\n" * 1000 + b"0\r\n\r\n", b"", b"\r\n", b"5\r\nhello\r\n",
)  # fmt: skip  # a table
PATHS = (
    "/", "//", "/v25.0", "/v25.0/", "/v25.0//messages", "/v99999.9/me/messages", "/me/messages/../messages", "/me/%00",
    "/%ff/messages", "/me/messages%2f", "/" + "a/" * 5000, "/me/" + "x" * 50_000, "/me;x/messages", "*",
    "http://h/me/messages", "/me/messages?access_token=" + "x" * 20_000, "/t_x?fields=" + "messages{" * 2000,
    "/me/conversations?fields=%7B%7D,,(", "/me/conversations?limit=-1&after=%ff", "/debug_token",
    "/debug_token?input_token=", "/m_x?fields=" + "a{b}" * 500, "/1002/messages",
    "/me/personas", "/v25.0/v25.0/me/messages",
)  # fmt: skip  # a table
METHODS = ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "POST")
HEADERS = (
    b"Authorization: Bearer \xff\xfe\r\n", b"Authorization: Basic x\r\n", b"Authorization:\r\n", b"Accept: \x01\r\n",
    b"Authorization: Bearer\r\n", b"Cookie: " + b"x" * 50_000 + b"\r\n", b"Content-Encoding: gzip\r\n",
    b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\nHTTP2-Settings: AA\r\n", b"Content-Type: \xff\r\n",
    b"Host: a\r\nHost: b\r\n", b"X-Forwarded-For: " + b"1," * 9000 + b"\r\n",
)  # fmt: skip  # a table
CONTROLS = (
    "POST rules", "PUT latency", "PUT switches", "PUT usage", "PUT limits", "PUT webhooks", "POST pages", "POST refuse",
    "POST messages", "POST happenings", "POST clock/advance", "GET ledger", "DELETE rules/x", "PATCH health",
    "POST pages/1001/kill-tokens/x", "GET unheard-of",
)  # fmt: skip  # a table
TOLD = (
    b"", b"null", b"[]", b"7", b'{"unheard_of":1}', b"{" * 50_000, b"\xff", b'{"fault":{"kind":"x"}}', b'{"match":7}',
    b'{"seconds":-1}', b'{"seconds":1e999}', b'{"page":"\\ud800"}', b'{"fault":' * 2000, b'{"statuses":{"x":1}}',
)  # fmt: skip  # a table
QUERIES = ("?at_least=x", "?wait=-1", "?x=1&x=2", "?page=%ff&after=-1", "?limit=0", "?unheard_of=1")
