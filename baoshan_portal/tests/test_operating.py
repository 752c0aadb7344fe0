"""What docs/operating.md and deploy/ say is so: units, proxy, packages, commands, settings."""

import json
import os
import re
import shutil
import ssl
import subprocess
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, Request, build_opener

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from .server import free_port, serve, wait_for

pytestmark = pytest.mark.browser

DEPLOY = settings.BASE_DIR / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service")) + sorted(
    (DEPLOY / "systemd").glob("*.timer")
)
DOCUMENT = (settings.BASE_DIR / "docs/operating.md").read_text("utf-8")


def tool(name: str, package: str) -> str:
    """Where a program is; without it a test is skipped, in CI it fails."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        sentence = f"{name} ({package}) is not installed, so what is for it was not tried."
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    return path


def test_systemd_takes_every_unit(tmp_path):
    analyze = tool("systemd-analyze", "systemd")
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/portal/.venv", str(tmp_path / "venv"))
        (tmp_path / unit.name).write_text(text.replace("/opt/portal", str(settings.BASE_DIR)))
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/bin/true")

    answer = subprocess.run(
        [analyze, "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    ours = [line for line in answer.stderr.splitlines() if "portal" in line]
    assert (answer.returncode, ours) == (0, [])


def test_every_timer_has_its_unit_and_every_unit_a_command_that_is_there():
    names = {unit.name for unit in UNITS}
    for unit in UNITS:
        text = unit.read_text("utf-8")
        if unit.suffix == ".timer":
            assert f"{unit.stem}.service" in names
        for command in re.findall(r"manage\.py (\w+)", text):
            assert command in get_commands(), (unit.name, command)
        assert "User=portal" in text or unit.suffix == ".timer"


def test_every_command_and_file_that_the_document_names_is_there():
    for command in re.findall(r"manage\.py (\w+)", DOCUMENT):
        assert command in get_commands(), command
    for name in re.findall(r"deploy/[\w./@-]+\w", DOCUMENT):
        if "*" not in name:
            assert (settings.BASE_DIR / name).exists(), name
    for unit in re.findall(r"portal-\w+\.(?:timer|service)", DOCUMENT):
        assert (DEPLOY / "systemd" / unit).exists(), unit


def test_every_setting_in_deploy_is_one_of_the_portal():
    known = set(re.findall(r"^#?(\w+)=", (settings.BASE_DIR / ".env.example").read_text(), re.M))
    text = (DEPLOY / "portal.env.example").read_text("utf-8")
    assert set(re.findall(r"^(\w+)=", text, re.M)) <= known

    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    assert set(compose["services"]["portal"]["environment"]) <= known
    for name, service in compose["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["healthcheck"]["test"], name


def test_the_image_copies_what_is_there_and_is_nobody():
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    for source in re.findall(r"^COPY (\S+) ", text, re.M):
        assert (settings.BASE_DIR / source).exists(), source
        ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        assert f"!{source}" in ignored, source
    assert re.search(r"^USER portal$", text, re.M)


def pins(name: str) -> dict[str, str]:
    """Package and version of each line of a list or lock."""
    text = (settings.BASE_DIR / name).read_text("utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==(\S+)", text, re.M)
    return {package.lower().replace("_", "-"): version for package, version in found}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_is_of_the_list_and_every_package_has_a_hash(name):
    lock = pins(f"{name}.lock")
    assert pins(f"{name}.txt").items() <= lock.items(), "Run `make lock`."

    text = (settings.BASE_DIR / f"{name}.lock").read_text("utf-8")
    for block in re.split(r"\n(?=[a-z0-9])", text)[1:]:
        assert "--hash=sha256:" in block, block


def test_tests_run_with_the_packages_that_are_served():
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_the_document_lists_every_package_that_is_installed_with_its_licence():
    listed = dict(re.findall(r"^\| ([a-z][a-z0-9-]*) \| ([^|]+) \|", DOCUMENT, re.M))
    assert pins("requirements.lock").keys() == listed.keys()
    assert all(licence.strip() for licence in listed.values())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    log = {"ACCESS_LOG": "1", "TRUST_PROXY": "1"}
    with serve(tmp_path_factory.mktemp("portal"), **log) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(server, tmp_path_factory):
    """nginx with our file, ports and certificate aside, in front of a portal."""
    nginx, openssl = tool("nginx", "nginx-light"), tool("openssl", "openssl")
    folder = tmp_path_factory.mktemp("nginx")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    for ours, here in {
        "127.0.0.1:8000": server.address.removeprefix("http://"),
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "server_name portal.example.gov.cn;": "server_name 127.0.0.1;",
        "/etc/ssl/portal": str(folder),
    }.items():
        assert ours in text
        text = text.replace(ours, here)
    (folder / "portal.conf").write_text(text)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Its worker would be nobody, who may write nothing here.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} "
        f"http {{ access_log off; {temporary} include {folder}/portal.conf; }}"
    )
    command = [nginx, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path: str, data: bytes | None = None, **headers):
        trusting = HTTPSHandler(context=ssl._create_unverified_context())
        request = Request(f"https://127.0.0.1:{port}{path}", data, headers)
        try:
            return build_opener(trusting).open(request, timeout=60)
        except HTTPError as answer:
            return answer

    try:
        wait_for(port, process)
        yield ask
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_proxy_passes_pages_with_the_visitors_address_and_one_number(proxy, server):
    answer = proxy("/", **{"X-Forwarded-For": "203.0.113.9", "X-Request-ID": "forged-by-visitor"})

    assert answer.status == 200
    number = answer.headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", number)
    (line,) = [json.loads(text) for text in server.log if number in text]
    assert (line["address"], line["path"], line["status"]) == ("127.0.0.1", "/", 200)


def test_the_proxy_bounds_what_strangers_send(proxy):
    assert proxy("/", b"x" * 300_000).status == 413
    assert proxy("/admin/login/", b"x" * 20_000).status == 413
    # The proxy lets it through for staff; the portal itself refuses it, since nobody is signed in.
    assert proxy("/admin/", b"x" * 300_000).status == 413
    for page in ("/admin/entry/", "/en/admin/entry/"):
        # An entry sheet may be as large, so this is the portal's to refuse. It does so before it
        # has taken all of it, and the proxy may hear no more than that it went away.
        refusal = proxy(page, b"x" * 13_000_000)
        assert refusal.status in {413, 503}
        assert b"<center>nginx" not in refusal.read()
    assert proxy("/healthz").status == 200
    assert proxy("/readyz").status == 200
    assert proxy("/metrics").status == 404


def test_whoever_tries_passwords_is_held_up_by_the_proxy(proxy):
    statuses = [proxy("/admin/login/").status for _n in range(30)]

    assert statuses[0] == 200
    assert statuses.count(429) >= 5


def test_the_server_command_serves(server):
    """deploy/serve, as the unit and the image start it: from another folder."""
    assert server.process.args == [DEPLOY / "serve"]
    assert Path(f"/proc/{server.process.pid}/cwd").resolve() == settings.BASE_DIR
    assert server.get("/healthz").status == 200


def test_the_proxy_has_a_sentence_for_a_portal_that_is_away(proxy, server):
    """The last of this module, because the portal stays away."""
    server.process.terminate()
    server.process.wait(timeout=30)

    answer = proxy("/")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    page = answer.read().decode()
    assert "门户暂时无法访问" in page and "was saved" in page
