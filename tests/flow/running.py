"""A whole Heard, really started: `heard serve` in a process tree of its own, on a free port, with a data folder."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

HEARD = Path(sys.executable).parent / "heard"
ACME = """
workspace: Acme
brand: {name: Acme, from: "Acme <feedback@acme.example>", address: "Acme, 1 Main St"}
sources:
  - {name: Website, write_key: wk_acme_website}
surveys:
  - {name: Relationship NPS, kind: nps, languages: [en]}
campaigns:
  - name: Post-purchase
    survey: Relationship NPS
    channel: email
    event: Order Completed
    where: "properties.total > 20"
    list: Segment List
    throttle: 90d
    status: ready
"""


def eventually(look: Callable[[], Any], *, seconds: float = 15.0, what: str = "it", every: float = 0.02) -> Any:
    """What `look` gives as soon as that is truthy; fails when it never is."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds:g} s; last seen: {found!r}")
        time.sleep(every)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RunningHeard:
    """`with RunningHeard(folder) as heard:` serves; `heard.cli(...)`, `heard.get(...)`, `heard.kill()`."""

    def __init__(
        self,
        data: Path,
        *,
        environment: Mapping[str, str] | None = None,
        test_clock: bool = True,
        workspace: str = ACME,
    ) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.test_clock = test_clock
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HEARD_")},
            "HEARD_DATA": str(data),
            "HEARD_BASE_URL": self.url,
            "HEARD_DNS_SERVER": "127.0.0.1:9",  # nobody: no test asks the world
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.secret_key = ""
        self.workspace = workspace

    def __enter__(self) -> RunningHeard:
        first = self.cli("init", "--json")
        self.secret_key = first["secret_key"]
        self.owner = (first["owner_email"], first["owner_password"])
        self.apply(self.workspace)
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> float:
        """Serve; gives the seconds until it was ready."""
        began = time.monotonic()
        self.launch()
        eventually(self.is_ready, seconds=30, what="ready")
        return time.monotonic() - began

    def launch(self) -> None:
        """Serve, without waiting for anything."""
        command = [str(HEARD), "serve", "--port", str(self.port), "--data", str(self.data)]
        with (
            (self.data.parent / f"{self.data.name}.out").open("a") as out,
            (self.data.parent / f"{self.data.name}.err").open("a") as err,
        ):
            self.process = subprocess.Popen(
                command + (["--test-clock"] if self.test_clock else []),
                env=self.environment,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        code = self.process.wait(timeout=15)
        self.process = None
        return code

    def pids(self) -> list[int]:
        """The supervisor and everything below it."""
        assert self.process is not None
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                queue += [int(child) for child in children.read_text().split()]
        return found

    def part(self, module: str) -> int:
        """The process that runs this module, like `heard.heart`."""
        runs = f"-m\0{module}\0".encode()
        return next(pid for pid in self.pids() if runs in Path(f"/proc/{pid}/cmdline").read_bytes())

    def kill(self) -> None:
        """kill -9 of the whole tree, at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)
        self.process = None

    # ── using it ──

    def cli(self, *arguments: str, code: int = 0) -> Any:
        """A command on the same data folder: its JSON with --json, else its text."""
        done = subprocess.run(
            [str(HEARD), *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, f"heard {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if "--json" in arguments else done.stdout + done.stderr

    def apply(self, text: str) -> str:
        path = self.data.parent / f"{self.data.name}.yaml"
        path.write_text(text)
        return self.cli("apply", str(path))

    def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        answer = httpx.get(f"{self.url}/api/{path}", params=query, headers=self._bearer(), timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = httpx.post(f"{self.url}/api/{path}", json=body or {}, headers=self._bearer(), timeout=120)
        assert answer.status_code == status, answer.text
        return answer.json()

    def member(self, email: str = "", password: str = "") -> httpx.Client:
        """A browser in which somebody is signed in: the owner, or whoever this is."""
        form = {"email": email or self.owner[0], "password": password or self.owner[1]}
        signed_in = httpx.post(f"{self.url}/sign-in", data=form, timeout=30)
        assert (signed_in.status_code, signed_in.headers.get("location")) == (303, "/"), signed_in.text
        return httpx.Client(base_url=self.url, cookies=signed_in.cookies, timeout=30)

    def send(self, kind: str, **message: Any) -> None:
        """One message, as curl would send it."""
        answer = httpx.post(f"{self.url}/v1/{kind}", json=message, auth=("wk_acme_website", ""), timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"success": True})

    def advance(self, length: str) -> str:
        return self.post("test-clock", {"advance": length})["now"]

    def settle(self) -> None:
        """Return when everything that was received has been handled."""
        self.advance("0s")

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret_key}"}


def links_in(mail: str) -> list[str]:
    """The survey links of a mail's HTML part, 0 to 10."""
    found = re.findall(r'<a\b[^>]*\bhref="([^"]+/s/[^"]+)"[^>]*>(\d+)</a>', mail)
    assert [label for _, label in found] == [str(number) for number in range(11)]
    return [link.replace("&amp;", "&") for link, _ in found]


def answer(link: str, *, comment: str | None = None) -> httpx.Response:
    """What a person's browser does without a script: open the link, send the first form of the page as it is served."""
    with httpx.Client(follow_redirects=True, timeout=10) as browser:
        page = browser.get(link)
        assert page.status_code == 200, page.text
        form = re.search(r"<form\b[^>]*>(.*?)</form>", page.text, re.S)
        assert form is not None
        action = re.search(r'<form\b[^>]*action="([^"]*)"', page.text)
        values: dict[str, str] = {}
        for tag in re.findall(r"<input\b[^>]*>", form[1]):
            name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
            if name and value and ('type="radio"' not in tag or re.search(r"\bchecked\b", tag)):
                values[name[1]] = value[1]
        if comment is not None:
            values["comment"] = comment
        to = httpx.URL(link).copy_with(query=None) if not action or not action[1] else page.url.join(action[1])
        return browser.post(to, data=values)
