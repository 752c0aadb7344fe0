"""What scanners of vulnerabilities ask for, from their public lists: addresses, headers, raw bytes.

Each is harmless here; what counts is how the portal answers.
"""

from pathlib import Path

#: Files and places of other programs, of their backups and of systems.
PLACES = (Path(__file__).parent / "places.txt").read_text("utf-8").split()

#: What is written where a number, a code or a word is expected.
TEXTS = (
    "'", '"', "1' OR '1'='1", "1;SELECT pg_sleep(9)--", "1 AND SLEEP(9)", "' UNION SELECT 1--",
    "<script>qzx()</script>", "\"><svg onload=qzx()>", "javascript:qzx()", "{{7*7}}", "${7*7}",
    "#{7*7}", "{% debug %}", "%(id)s", "%s%s%s%n", "$(sleep 9)", "`sleep 9`", "|id", ";id",
    "../../../../etc/passwd", "file:///etc/passwd", "http://169.254.169.254/", "//evil.example/",
    "${jndi:ldap://127.0.0.1/a}", "() { :; }; echo", "\r\nSet-Cookie: qzx=1", "\x00", "\ufffe",
    "\ud7ff", "\u202e", "A" * 5_000, "9" * 400, "-1", "1e400", "NaN", "null", "[]", "{}", "true",
    "2023-13-45", "0000-00-00", "9999-12-31", "*)(uid=*", "' or count(/*)=1 or '", "%00", "%ff",
)  # fmt: skip

#: Headers by name; each is sent alone with an ordinary request for a page.
HEADERS = [
    ("Host", "evil.example"), ("Host", ""), ("Host", "127.0.0.1:99999"), ("Host", "127.0.0.1@evil"),
    ("Host", "a" * 3_000), ("Host", "[::1"), ("Host", "127.0.0.1, evil.example"),
    ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-For", "127.0.0.1, ' OR 1=1"),
    ("X-Forwarded-For", "9" * 5_000), ("X_Forwarded_For", "10.0.0.1"), ("X-Real-IP", "127.0.0.1"),
    ("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Prefix", "//evil.example"), ("X-Rewrite-URL",
    "/admin/"), ("X-Original-URL", "/admin/"), ("X-Http-Method-Override", "DELETE"),
    ("Forwarded", "for=evil;host=evil.example;proto=https"), ("Forwarded", '"' * 500),
    ("Referer", "https://evil.example/<script>qzx()</script>"), ("Origin", "null"),
    ("Origin", "https://evil.example"), ("User-Agent", "() { :; }; echo qzx"),
    ("User-Agent", "${jndi:ldap://127.0.0.1/a}"), ("User-Agent", "\xff\xfe"), ("Accept", "*/*;q=x"),
    ("Accept", "a" * 9_000), ("Accept-Language", "x" * 5_000), ("Accept-Language", "../../etc"),
    ("Accept-Language", "en-" + "x-" * 500), ("Accept-Encoding", "gzip;q=nan, *;q=-1"),
    ("Accept-Charset", "\x80"), ("Range", "bytes=0-,0-,0-" + ",0-" * 500), ("Range", "bytes=9-1"),
    ("If-Modified-Since", "yesterday"), ("If-Modified-Since", "Mon, 99 Foo 99999 99:99:99 GMT"),
    ("If-None-Match", '"' * 999), ("Cookie", "demo_sessionid=\x00"), ("Cookie", "=;=;=;;;"),
    ("Cookie", "demo_sessionid=" + "a" * 4_000), ("Cookie", "demo_csrftoken=<script>"),
    ("Cookie", "size=\xff; theme=../../x"), ("Cookie", "messages=W1tdXQ:x:x"),
    ("Cookie", "django_language=../../x"), ("Cookie", "; ".join(f"c{n}=1" for n in range(500))),
    ("Content-Length", "-1"), ("Content-Length", "x"), ("Content-Length", "99999999999999999999"),
    ("Transfer-Encoding", "chunked, identity"), ("Transfer-Encoding", "xchunked"),
    ("Expect", "900-fancy"), ("Upgrade", "h2c"), ("Connection", "close, X-Forwarded-For"),
    ("Content-Type", "multipart/form-data"), ("Content-Type", "multipart/form-data; boundary="),
    ("Content-Type", "text/html; charset=" + "x" * 99), ("Content-Type", "application/json"),
    ("Content-Type", "application/x-www-form-urlencoded; charset=utf-7"),
    ("Authorization", "Basic " + "=" * 99), ("Proxy", "http://evil.example"), ("X-Request-ID",
    "a\tb"), ("HX-Request", "true"), ("HX-Current-URL", "//evil.example"), ("Max-Forwards", "0"),
]  # fmt: skip

METHODS = (
    "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "TRACK", "DEBUG", "CONNECT", "PROPFIND",
    "MOVE", "COPY", "MKCOL", "LOCK", "SEARCH", "PURGE", "get", "GETS", "X" * 200,
)  # fmt: skip

_HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n"
#: Bytes that no browser sends.
RAW = {
    "NUL in the address": b"GET /\x00/ HTTP/1.1\r\n" + _HOST + b"\r\n",
    "no UTF-8 in the address": b"GET /measures/\xff\xfe/ HTTP/1.1\r\n" + _HOST + b"\r\n",
    "UTF-8 in the address": "GET /measures/企业/?q=企业 HTTP/1.1\r\n".encode() + _HOST + b"\r\n",
    "no UTF-8 behind percent signs": b"GET /find/?q=%FF%C0%AF HTTP/1.1\r\n" + _HOST + b"\r\n",
    "half a percent sign": b"GET /find/%?q=%&%=%1 HTTP/1.1\r\n" + _HOST + b"\r\n",
    "64 KiB of address": b"GET /" + b"a" * 65_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
    "1 MiB of address": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
    "30 KiB of question": b"GET /find/?q=" + b"a" * 30_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
    "9,000 parameters": b"GET /find/?" + b"&".join(b"a%d" % n for n in range(9_000))
    + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a header of 1 MiB": b"GET / HTTP/1.1\r\n" + _HOST + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "a header of 60 KiB": b"GET / HTTP/1.1\r\n" + _HOST + b"X: " + b"a" * 60_000 + b"\r\n\r\n",
    "5,000 headers": b"GET / HTTP/1.1\r\n" + _HOST
    + b"".join(b"X-%d: 1\r\n" % n for n in range(5_000)) + b"\r\n",
    "90 headers": b"GET / HTTP/1.1\r\n" + _HOST
    + b"".join(b"X-%d: 1\r\n" % n for n in range(90)) + b"\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\n" + _HOST + b"X: a\x00b\r\n\r\n",
    "NUL in a cookie": b"GET / HTTP/1.1\r\n" + _HOST + b"Cookie: a=\x00; b=%00\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\n" + _HOST + b"X: a\r\n b\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\n" + _HOST + b"X : a\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: evil.example\r\n" + _HOST + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "another host in the address": b"GET http://evil.example/ HTTP/1.1\r\n" + _HOST + b"\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\n" + _HOST + b"\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "only line ends": b"\r\n" * 50 + b"GET / HTTP/1.1\r\n" + _HOST + b"\r\n",
    "two lengths": b"POST /admin/login/ HTTP/1.1\r\n" + _HOST
    + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\na=1",
    "a length and chunks": b"POST /admin/login/ HTTP/1.1\r\n" + _HOST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + b"GET /admin/ HTTP/1.1\r\n\r\n",
    "bad chunks": b"POST /admin/login/ HTTP/1.1\r\n" + _HOST
    + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\nabc\r\n",
    "parts without an end": b"POST /admin/login/ HTTP/1.1\r\n" + _HOST
    + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9\r\n\r\n--x\r\nabcd",
    "parts with odd names": b"POST /admin/login/ HTTP/1.1\r\n" + _HOST
    + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 84\r\n\r\n"
    b'--x\r\nContent-Disposition: form-data; name="\x00\xff"; filename="../../x"'
    b"\r\n\r\nab\r\n--x--\r\n",
    "two requests in one": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    + b"GET / HTTP/1.1\r\n" + _HOST + b"\r\n",
}  # fmt: skip

#: Programs that scan by themselves; used where they are, never fetched.
PROGRAMS = ("nikto", "zap.sh", "nuclei")
