"""What a newcomer trips over: each mistake is answered with what to do about it, and nothing is left lying open."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import ACME, RunningHeard, answer, eventually, free_port, links_in
from tests.flow.test_cli import run

EMPTY_WAYS = {"HEARD_LOG_LEVEL": "", "HEARD_SMTP_URL": "", "HEARD_SECRET_FILE": ""}


def everybody_may(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) & 0o077


def test_nobody_else_on_the_machine_can_read_what_a_server_makes(tmp_path: Path):
    data = tmp_path / "made/too/data"
    old = os.umask(0o022)
    try:
        with RunningHeard(data) as heard:
            heard.send("identify", userId="ann", traits={"email": "ann@example.com"})
            heard.settle()
            kept = [*data.rglob("*"), data, data.parent, data.parent.parent]
            open_to_others = [path.name for path in kept if everybody_may(path)]
    finally:
        os.umask(old)

    assert {"heard.db", "outbox", "log", "secret"} <= {path.name for path in kept}
    assert open_to_others == []


def test_help_fits_its_lines_and_the_version_is_told(tmp_path: Path):
    told, version = run("--help", data=tmp_path, COLUMNS="80"), run("--version", data=tmp_path)

    assert "..." not in told.stdout.partition("Commands:")[2]
    assert re.fullmatch(r"heard \d+\.\d+\.\d+\S*\n", version.stdout)


def test_an_empty_setting_counts_as_absent(tmp_path: Path):
    assert run("init", data=tmp_path / "new", **EMPTY_WAYS).returncode == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"HEARD_DATABASE_URL": "postgresql://heard:s3cr3t@127.0.0.1:1/heard"}, "HEARD_DATABASE_URL names cannot"),
        ({"HEARD_DATABASE_URL": "postgresql://heard@127.0.0.1:high/heard"}, "HEARD_DATABASE_URL: write it like"),
        ({"HEARD_DATABASE_URL": "sqlite:////nowhere/heard.db"}, "HEARD_DATABASE_URL names cannot be used: unable to"),
        ({"HEARD_SMTP_URL": "mail.example:25"}, "HEARD_SMTP_URL: write it like smtp://"),
        ({"HEARD_SECRET_FILE": "/nowhere/secret"}, "HEARD_SECRET_FILE: /nowhere/secret cannot be read: No such file"),
        ({"HEARD_SECRET_FILE": "/dev/null"}, "The secret in /dev/null is missing: the file is empty."),
    ],
)
@pytest.mark.parametrize("command", ["init", "serve"])
def test_a_setting_that_cannot_be_used_is_named_in_one_sentence(
    tmp_path: Path, command: str, settings: dict[str, str], words: str
):
    port = ("--port", str(free_port())) if command == "serve" else ()
    said = run(command, *port, data=tmp_path / "new", **settings)
    lines = [line for line in said.stderr.splitlines() if not line.startswith("heard collector listens")]

    assert said.returncode == 1
    assert words in lines[0]
    assert len(lines) == 1
    assert "s3cr3t" not in said.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_host_that_is_none_is_what_the_advice_is_about(tmp_path: Path, command: str):
    said = run(command, "--host", "no..where", data=tmp_path / "new")

    assert said.returncode == 1
    assert said.stderr.startswith("Heard cannot listen on no..where: this machine has no such address. Choose another")


def test_an_empty_file_and_one_that_is_no_yaml_are_named(tmp_path: Path):
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    (tmp_path / "bad.yaml").write_text("workspace: Acme\nbrand: [\n")
    empty, bad = (run("apply", str(tmp_path / name), data=tmp_path / "d") for name in ("empty.yaml", "bad.yaml"))

    assert empty.stderr.startswith(f"The file is empty: {tmp_path / 'empty.yaml'} needs at least")
    assert bad.stderr.startswith(f"{tmp_path / 'bad.yaml'}, line 3, column 1: ")


def test_a_campaign_without_a_sender_is_warned_of(tmp_path: Path):
    bare = re.sub(r"brand: .*", "brand: {name: Acme}", ACME)
    (tmp_path / "bare.yaml").write_text(bare)
    told = run("apply", str(tmp_path / "bare.yaml"), data=tmp_path / "data", HEARD_SMTP_URL="smtp://127.0.0.1:1")

    assert told.returncode == 0
    assert "Warning: brand.from is empty, so Post-purchase mails as feedback@localhost; most" in told.stderr
    assert "Warning: brand.address is empty" in told.stderr


def test_a_backup_says_how_large_it_is(tmp_path: Path):
    run("init", data=tmp_path / "data")
    said = run("backup", f"{tmp_path}/data/../kept.tar.gz", data=tmp_path / "data")

    assert re.fullmatch(rf"Wrote {re.escape(str(tmp_path))}/kept\.tar\.gz, \d+(\.\d)? kB\.\n", said.stdout)


def test_the_pages_lead_from_the_first_message_to_the_score(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard, heard.member() as member:
        heard.send("identify", userId="ann", traits={"email": "ann@example.com", "firstName": "Ann", "plan": "Pro"})
        heard.send("track", userId="ann", event="Order Completed", properties={"total": 50})
        mail = eventually(lambda: list((tmp_path / "data/outbox").glob("*.eml")), what="the mail")[0]
        html = opened(mail.read_bytes()).get_body(("html",))
        assert html is not None
        before = member.get("/").text
        thanks = answer(links_in(html.get_content())[9]).text
        after, manual, outbox = (member.get(path) for path in ("/", "/api/docs", "/outbox"))
        lost = member.get("/nothing/here", headers={"Accept": "text/html,*/*;q=0.8"})
        lost_program, lost_api = member.get("/nothing/here"), member.get("/api/nothing")
        unmatched = heard.cli("score", "Relationship NPS", "--where", "traits.plan = 'Basic'")
        unknown = heard.cli("score", "Relationship NPS", "--by", "nothing", "--every", "month")

    assert "Ann" not in before
    assert re.search(r'<div class="who"><a href="/contacts/\d+">Ann', after.text)  # among the newest answers
    for page, here in ((after, "/"), (outbox, "/outbox"), (manual, "/api/docs")):
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert re.findall(r'class="rail-link" href="([^"]*)" aria-current="page"', page.text) == [here]
    assert (lost.status_code, lost.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no page at this address" in lost.text
    assert 'id="rail-nav"' in lost.text  # inside the dashboard, as she is signed in
    assert lost_program.headers["content-type"].startswith("text/plain")
    assert lost_api.json()["error"]["code"] == "not_found"
    assert "Acme has your answer." in thanks
    assert "Acme will not ask you this again before" in thanks  # 90 days, as the mail and `heard why` say
    assert "No answer matches this filter (1 without it)." in unmatched
    assert "Nobody who answered has a trait 'nothing'" in unknown
    assert max(len(line) for line in unknown.splitlines() if not line.startswith("All answers")) <= 80


def test_what_a_demo_prints_works_when_pasted_and_a_second_one_tells_of_somebody_new(tmp_path: Path):
    folder = tmp_path / "demo"
    for number, name in ((1, "Ann"), (2, "Ben")):
        with (tmp_path / f"out{number}").open("w") as out:
            process = subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("heard")),
                    "demo",
                    "--empty",
                    "--data",
                    str(folder),
                    "--port",
                    "18900",
                ],
                stdout=out,
                stderr=out,
            )
        try:
            told = eventually(
                lambda number=number: "Ctrl-C stops it" in (text := (tmp_path / f"out{number}").read_text()) and text,
                seconds=30,
            )
            pasted = [line for line in told.splitlines() if line.startswith("  ")]
            for line in (each for each in pasted if "/v1/" in each):
                subprocess.run(["bash", "-c", line.replace("curl", "curl -sf", 1)], check=True, capture_output=True)
            eventually(lambda number=number: len(list((folder / "outbox").glob("*.eml"))) == number, what="the mail")
            # In a shell that knows nothing of the environment that Heard lives in.
            commands = [line for line in pasted if "heard score" in line or "heard why" in line]
            plain = {"PATH": "/usr/bin:/bin"}
            for line in commands:
                subprocess.run(["bash", "-c", line], env=plain, check=True, capture_output=True)
        finally:
            process.terminate()
            assert process.wait(timeout=15) == 0
        assert len(commands) == 2
        assert f"{name} buys something:" in told
