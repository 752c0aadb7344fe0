"""Somebody before the running portal, with cookies and forms but without a browser."""

import re
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException, HTTPMessage
from urllib.parse import quote, urlencode, urlsplit

#: Seconds after which nobody waits any longer.
PATIENCE = 60


@dataclass
class Answer:
    """What came back; status 0 where nothing did, and then ``body`` says why."""

    status: int
    headers: HTTPMessage
    body: bytes
    address: str = ""

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def getvalue(self) -> bytes:
        """As an answer of Django's test client has it."""
        return self.body

    @property
    def fault(self) -> str:
        """What is wrong with it whoever asked for whatever; empty if nothing is.

        503 with Retry-After is what a portal says that is full.
        """
        if self.status == 0:
            return f"no answer at {self.address[:80]}: {self.text[:80]}"
        if self.status == 503 and "Retry-After" in self.headers:
            return ""
        return f"{self.status} at {self.address[:80]}" if self.status >= 500 else ""

    @property
    def is_said(self) -> bool:
        """Whether whoever asked is told anything: a page, or a way to one."""
        return self.status in (301, 302) or (self.status in (200, 400, 403, 404, 409, 413, 429)
            and b"<h1" in self.body)  # fmt: skip


@dataclass
class Visitor:
    """Asks one portal; whoever is ``signed_in`` has its cookies."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    patience: float = PATIENCE

    def copy(self) -> "Visitor":
        """The same person at one more window."""
        return Visitor(self.address, dict(self.cookies), self.patience)

    def get(self, path: str, **headers) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, data=None, files=None) -> Answer:
        """Send a form; ``files`` are (name of the file, content) by field."""
        token = next((v for k, v in self.cookies.items() if k.endswith("csrftoken")), "")
        data = [("csrfmiddlewaretoken", token), *pairs(data or {})]
        if files:
            kind, body = multipart(data, files)
        else:
            kind, body = "application/x-www-form-urlencoded", urlencode(data).encode()
        return self.ask("POST", path, body, {"Content-Type": kind})

    def ask(self, method: str, path: str, body=None, headers=None) -> Answer:
        headers = dict(headers or {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=self.patience)
        try:
            connection.request(method, quote(path, safe="/?&=%:+,;@'!*()~-._"), body, headers)
            came = connection.getresponse()
            answer = Answer(came.status, came.headers, came.read(), path)
        except (OSError, HTTPException) as error:
            return Answer(0, HTTPMessage(), f"{type(error).__name__} {error}".encode(), path)
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", ()):
            if found := re.match(r"([^=;]+)=([^;]*)", cookie):
                self.cookies[found[1]] = found[2]
        return answer

    def sign_in(self, name: str, password: str) -> "Visitor":
        """By name and password, as everybody; raises RuntimeError if the portal refuses."""
        self.get("/admin/login/")
        answer = self.post("/admin/login/?next=/admin/", {"username": name, "password": password})
        if answer.status != 302:
            raise RuntimeError(f"{name} could not sign in: {answer.status}")
        self.get("/admin/")
        return self

    def filled_in(self, path: str, **typed) -> dict[str, str]:
        """What the form at ``path`` sends when somebody types only ``typed``."""
        form = _Form()
        form.feed(self.get(path).text)
        return form.values | typed


def pairs(data: dict):
    """(name, value) of each value; a list stands for several."""
    for name, value in data.items():
        for each in value if isinstance(value, list | tuple) else [value]:
            yield name, each


def multipart(data, files) -> tuple[str, bytes]:
    """The content type and the body of a form with files."""
    border, parts = secrets.token_hex(16), []
    for name, value in data:
        parts.append(f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
            .encode())  # fmt: skip
    for name, (file_name, content) in files.items():
        head = (
            f'--{border}\r\nContent-Disposition: form-data; name="{name}"; '
            f'filename="{file_name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        parts.append(head.encode() + content)
    body = b"\r\n".join([*parts, f"--{border}--\r\n".encode()])
    return f"multipart/form-data; boundary={border}", body


class _Form(HTMLParser):
    """Collects what the fields of the page's forms hold."""

    def __init__(self):
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = self._area = ""

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        name, kind = told.get("name") or "", told.get("type", "text")
        if tag == "input" and name and kind not in ("submit", "file", "button"):
            if kind not in ("checkbox", "radio") or "checked" in told:
                self.values[name] = told.get("value") or ""
        elif tag == "select":
            self._select = name
            self.values.setdefault(name, "")
        elif tag == "option" and "selected" in told and self._select:
            self.values[self._select] = told.get("value") or ""
        elif tag == "textarea" and name:
            self._area, self.values[name] = name, ""

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._area = ""
        if tag == "select":
            self._select = ""

    def handle_data(self, text):
        if self._area:
            # The line end behind the tag is none of the text.
            self.values[self._area] += text if self.values[self._area] else text.lstrip("\r\n")
