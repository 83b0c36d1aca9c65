"""Brand and rules, the workspace file, and who changed what."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from heard.operations import yaml_text
from tests.flow.running import ACME, RunningHeard
from tests.spec.pictures import png
from tests.web.visitors import Visitor, code_in, error_at, member, owner

BRAND = {
    "name": "Acme",
    "from": "Acme <feedback@acme.example>",
    "reply_to": "help@acme.example",
    "color": "#2563EB",
    "address": "Acme, 1 Main St",
    "quiet_period": "30d",
    "exclude": "match(email, '*@acme.example')",
}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("settings") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def test_the_brand_is_kept_as_a_workspace_file_would_keep_it(heard: RunningHeard, ted: Visitor):
    ted.post("/settings/brand", BRAND)

    written = heard.cli("export", "--json")
    assert written["brand"] == {key: BRAND[key] for key in ("name", "from", "reply_to", "address")} | {
        "color": "#2563eb"
    }
    assert (written["quiet_period"], written["exclude"]) == ("30d", BRAND["exclude"])
    page = ted.get("/settings/brand")
    assert 'value="30d"' in page
    assert "Saved." in page
    assert "quiet_period: 30d, was none" in ted.get("/settings/audit")

    ted.post("/settings/brand", {**BRAND, "quiet_period": "", "exclude": ""})
    written = heard.cli("export", "--json")
    assert "quiet_period" not in written
    assert "exclude" not in written


def test_a_logo_is_served_by_ourselves_and_shown_in_the_mail(heard: RunningHeard, ted: Visitor):
    picture = png(400, 80)

    ted.post("/settings/brand", BRAND, files={"logo": ("logo.png", picture, "image/png")})

    page = ted.get("/settings/brand")
    [name] = set(re.findall(r'src="(/logo/[0-9a-f]{32}\.png)"', page))
    assert 'width="180" height="36" alt="Acme"' in page
    served = Visitor(heard.url).browser.get(name)
    assert (served.content, served.headers["content-type"]) == (picture, "image/png")
    assert "immutable" in served.headers["cache-control"]
    assert ted.browser.get("/logo/" + "0" * 32 + ".png").status_code == 404
    assert f"brand.logo: {name.removeprefix('/logo/')}, was none" in ted.get("/settings/audit")

    ted.post("/settings/brand", BRAND)  # a form without a file leaves it
    assert heard.cli("export", "--json")["brand"]["logo"].startswith("data:image/png;base64,")
    page = ted.post("/settings/brand", BRAND, status=422, files={"logo": ("logo.svg", b"<svg/>", "image/svg+xml")})
    assert "Choose a PNG or a JPEG" in error_at(page, "logo")
    page = ted.post("/settings/brand", BRAND, status=422, files={"logo": ("big.png", b"\x89PNG" * 30_000, "image/png")})
    assert "at most 100 KB" in error_at(page, "logo")

    ted.post("/settings/brand", {**BRAND, "no_logo": "1", "quiet_period": "", "exclude": ""})
    assert "logo" not in heard.cli("export", "--json")["brand"]
    assert ted.browser.get(name).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("from", "Acme", "Write an address like feedback@acme.example"),
        ("from", "Acme <feedback@acme>\nBcc: all@acme.example", "An address is one line of text."),
        ("reply_to", "help@", "Write an address like"),
        ("color", "blue", "Write the colour as #rrggbb"),
        ("quiet_period", "30", "Write a length of time like 3d, 12h or 10m, not '30'."),
        ("exclude", "email =", ""),
        ("address", "x" * 501, "Write a text of at most 500 characters."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_written_stays(
    heard: RunningHeard, ted: Visitor, field: str, value: str, said: str
):
    before = heard.cli("export", "--json")

    page = ted.post("/settings/brand", {**BRAND, "name": "Written just now", field: value}, status=422)

    assert said in error_at(page, field).replace("&#39;", "'")
    assert f"brand.{field}" not in error_at(page, field)
    assert "Written just now" in page
    assert value.split("\n")[0] in page
    assert heard.cli("export", "--json") == before


def test_the_colour_says_how_it_reads_while_it_is_typed(ted: Visitor):
    dark, faint = (ted.get(f"/settings/brand/look?name=Acme&color=%23{each}") for each in ("0c6453", "ffe600"))

    assert "White letters stand on it, with a contrast of 7.1 to 1." in dark
    assert "Reads well" in dark
    assert "Dark letters stand on it" in faint
    assert re.search(r"It is faint on white, so edges are drawn in #[0-9a-f]{6} there\.", faint)
    assert "Write the colour as #rrggbb" in ted.get("/settings/brand/look?color=%3Cscript%3E")
    assert "<script>alert" not in ted.browser.get("/settings/brand/look?name=<script>alert(1)</script>").text


def test_the_file_is_what_the_command_exports(heard: RunningHeard, ted: Visitor):
    exported = heard.cli("export")

    assert code_in(ted.get("/settings/file"), "Workspace file") == exported
    download = ted.browser.get("/settings/file.yaml")
    assert download.text == exported
    assert download.headers["content-disposition"] == 'attachment; filename="acme.yaml"'
    assert heard.secret_key not in exported


def test_a_file_says_what_it_would_change_before_it_changes_it(heard: RunningHeard, ted: Visitor):
    text = (
        ACME.replace("throttle: 90d", "throttle: 120d")
        + "  - {name: Second, survey: Relationship NPS, "
        + ("channel: email, event: Pint Ordered}\n")
    )
    before = heard.cli("export", "--json")

    page = ted.post("/settings/file", {"act": "look", "text": text}, status=200)
    assert "campaigns[Post-purchase].throttle: 120d, was 90d" in page
    assert "campaigns[Second]: new, draft" in page
    assert "Nothing is changed yet." in page
    assert heard.cli("export", "--json") == before

    ted.post("/settings/file", {"act": "apply", "text": text})
    assert [each["name"] for each in heard.cli("export", "--json")["campaigns"]] == ["Post-purchase", "Second"]
    assert "campaigns[Post-purchase].throttle: 120d, was 90d" in ted.get("/settings/audit")
    assert "It would change nothing" in ted.post("/settings/file", {"act": "look", "text": text}, status=200)


def test_a_file_can_be_chosen_instead_of_pasted(ted: Visitor):
    page = ted.post(
        "/settings/file",
        {"act": "look", "text": ""},
        files={"file": ("acme.yaml", b"workspace: Acme\nquiet_period: 10d\n", "application/yaml")},
        status=200,
    )
    assert "quiet_period: 10d, was none" in page
    page = ted.post("/settings/file", {"act": "look", "text": ""}, files={"file": ("x.yaml", b"\xff\xfe")}, status=422)
    assert "not UTF-8 text" in error_at(page, "text")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workspace: Acme\nquiet: 3d\n", "quiet: there is no such key."),
        ("workspace: Acme\ncampaigns: [{name: X, survey: Relationship NPS, channel: email, event: E, throttle: 90}]",
         "campaigns[0].throttle: Write a length of time"),
        ("workspace: Acme\nsurveys: [", "line 2"),
        ("", "The file is empty"),
        ("workspace: Other\n", "workspace: write 'Acme', the one you look at; this file is about 'Other'."),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_obeyed_is_refused_by_the_name_of_its_key(ted: Visitor, text: str, said: str):
    for act in ("look", "apply"):
        page = ted.post("/settings/file", {"act": act, "text": text}, status=422)
        assert said in error_at(page, "text").replace("&#39;", "'")
        assert text.strip() in page


def test_a_file_reaches_no_other_workspace(heard: RunningHeard, ted: Visitor):
    heard.cli("init", "--workspace", "MacLaren", "--json")

    page = ted.post("/settings/file", {"act": "apply", "text": "workspace: MacLaren\nquiet_period: 1d\n"}, status=422)

    assert "this file is about" in error_at(page, "text")
    assert "quiet_period" not in heard.cli("export", "--workspace", "MacLaren", "--json")
    theirs = heard.cli("export", "--workspace", "MacLaren", "--json")["sources"][0]
    taken = f"workspace: Acme\nsources: [{{name: Mine, write_key: {theirs['write_key']}}}]\n"
    said = error_at(ted.post("/settings/file", {"act": "look", "text": taken}, status=422), "text")
    assert "is in use on this server" in said
    assert theirs["name"] not in said


def test_a_few_lines_that_unfold_to_billions_are_refused(ted: Visitor):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    page = ted.post("/settings/file", {"act": "look", "text": "\n".join(lines)}, status=422)

    assert "unfolds to more than 100,000 values" in error_at(page, "text")
    assert yaml_text.load("a: &a [1]\nb: *a") == {"a": [1], "b": [1]}


def test_the_log_goes_on_page_by_page(heard: RunningHeard, ted: Visitor):
    for number in range(55):
        ted.post("/settings/brand", {**BRAND, "name": f"Acme {number}"})

    first = ted.get("/settings/audit")
    older = re.search(r'href="(/settings/audit\?cursor=\d+)"', first)
    assert older is not None
    second = ted.get(older[1])

    assert first.count("changed the workspace Acme") == 50
    assert "brand.name: Acme 54, was Acme 53" in first
    assert "brand.name: Acme 54, was Acme 53" not in second
    assert "brand.name: Acme 1, was Acme 0" in second
    ted.get("/settings/audit?cursor=x", status=400)


def test_the_log_is_of_one_workspace(heard: RunningHeard, ted: Visitor):
    heard.cli("keys", "add", "Only MacLaren's", "--workspace", "MacLaren")

    assert "Only MacLaren's" not in ted.get("/settings/audit")


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_settings_are_for_admins(heard: RunningHeard, role: str):
    visitor = member(heard, f"{role}@settings.example", role)

    for tab in ("brand", "file", "file.yaml", "audit", "keys", "members"):
        visitor.get(f"/settings/{tab}", status=403)
    visitor.post("/settings/brand", BRAND, status=403)
    visitor.post("/settings/file", {"act": "apply", "text": "workspace: Acme\nquiet_period: 1d\n"}, status=403)
    page = visitor.get("/settings/workspaces")
    assert "Your workspaces" in page
    assert "/settings/brand" not in page
