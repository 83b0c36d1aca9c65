"""Members with a browser that keeps cookies and fills in forms, without a script; and a server of two workspaces."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import httpx

from tests.flow.running import RunningHeard


class Visitor:
    """`Visitor(url).sign_in(email, password)`; then `get`, and `post` with the token that forms carry."""

    def __init__(self, url: str) -> None:
        self.browser = httpx.Client(base_url=url, timeout=20)

    def sign_in(self, email: str, password: str) -> Visitor:
        answer = self.browser.post("/sign-in", data={"email": email, "password": password})
        assert answer.status_code == 303, answer.text
        return self

    def get(self, path: str, *, status: int = 200) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return html.unescape(answer.text)

    def post(self, path: str, data: Mapping[str, Any] | None = None, *, status: int = 303, **more: Any) -> str:
        """The page that answers, or where it leads."""
        answer = self.browser.post(path, data={"form_token": self.token(), **(data or {})}, **more)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return answer.headers["location"] if status == 303 else html.unescape(answer.text)

    def token(self) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', self.get("/account"))
        assert found is not None
        return found[1]

    def is_in(self) -> bool:
        return self.browser.get("/account").status_code == 200


def member(heard: RunningHeard, email: str, role: str, *, workspace: str = "Acme") -> Visitor:
    """Somebody new with this role, signed in."""
    made = heard.cli("users", "add", email, "--role", role, "--workspace", workspace, "--json")
    return Visitor(heard.url).sign_in(email, made["password"])


def owner(heard: RunningHeard) -> Visitor:
    return Visitor(heard.url).sign_in(*heard.owner)


def code_in(page: str, label: str) -> str:
    """What stands in the box to copy of this label."""
    found = re.search(rf'<pre [^>]*aria-label="{re.escape(label)}"[^>]*>(.*?)</pre>', page, re.S)
    assert found is not None, label
    return html.unescape(re.sub(r"</?span[^>]*>", "", found[1]))


def error_at(page: str, field: str) -> str:
    """The sentence below a field."""
    found = re.search(rf'id="{re.escape(field)}-error">.*?<span>(.*?)</span>', page, re.S)
    assert found is not None, f"nothing is said at {field}"
    return found[1]


def everything_kept(heard: RunningHeard) -> bytes:
    """Every byte below the data folder, and what the server printed."""
    files = [path for path in heard.data.rglob("*") if path.is_file()]
    files += [heard.data.parent / f"{heard.data.name}.{kind}" for kind in ("out", "err")]
    return b"".join(path.read_bytes() for path in files)
