"""Which pictures a brand may show, and how large."""

from __future__ import annotations

import pytest

from heard.accounts import logo
from heard.accounts.workspace import Brand
from heard.channels.email.look import look
from heard.errors import Invalid
from heard.surveys.wording import worded
from tests.spec.pictures import jpeg, png


@pytest.mark.parametrize(
    ("content", "size", "shown", "is_mark"),
    [
        (png(400, 80), (400, 80), (180, 36), False),
        (png(1000, 50), (1000, 50), (180, 9), False),
        (jpeg(72, 72), (72, 72), (36, 36), True),
        (png(10, 8), (10, 8), (10, 8), True),
        (png(108, 72), (108, 72), (54, 36), True),
    ],
)
def test_a_picture_is_shown_small_and_never_larger_than_it_is(
    content: bytes, size: tuple[int, int], shown: tuple[int, int], is_mark: bool
):
    kept = logo.logo(content)

    assert ((kept.width, kept.height), kept.shown, kept.is_mark) == (size, shown, is_mark)
    assert logo.read(logo.written(kept)) == kept


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "PNG or a JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "PNG or a JPEG"),
        (b"GIF89a", "PNG or a JPEG"),
        (png(4, 4)[:30], "this PNG is damaged"),
        (png(4, 4)[:-12], "this PNG is damaged"),
        (jpeg(4, 4)[:20], "this JPEG is damaged"),
        (b"\xff\xd8\xff" + b"\xff" * 50, "this JPEG is damaged"),
        (png(4001, 1), "at most 4000 pixels a side; this one is 4001 by 1"),
        (png(4, 4) + b"x" * 102_400, "at most 100 KB; this one has 101 KB"),
    ],
)
def test_what_is_no_small_picture_is_refused(content: bytes, said: str):
    with pytest.raises(Invalid, match=said):
        logo.logo(content)


@pytest.mark.parametrize(
    "address",
    [
        "https://acme.example/logo.png",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:image/png;base64,***",
        "data:image/png;base64,",
        "image/png;base64,iVBORw0KGgo=",
        "data:image/png;base64," + "A" * 140_000,
    ],
)
def test_an_address_elsewhere_is_no_logo(address: str):
    with pytest.raises(Invalid):
        logo.read(address)


def test_a_mark_stands_beside_the_name_and_a_wordmark_in_its_place():
    mark, wordmark = (
        look(
            Brand(name="Acme & Co", logo=logo.written(logo.logo(content))),
            worded("nps", brand="Acme & Co"),
            None,
            "https://f.acme.example/logo/",
        )[0]
        for content in (png(72, 72), png(400, 80))
    )

    assert 'alt="" style' in mark
    assert ">Acme &amp; Co</td>" in mark
    assert 'width="180" alt="Acme &amp; Co"' in wordmark, "as tall as the name needs where pictures are blocked"
    assert ">Acme &amp; Co</td>" not in wordmark
    assert f'src="https://f.acme.example/logo/{logo.logo(png(400, 80)).name}"' in wordmark


def test_the_name_stands_beside_a_picture_in_whose_place_it_could_not_be_written():
    assert not logo.logo(png(160, 80)).needs("Acme")
    assert logo.logo(png(160, 80)).needs("Extremely")
    assert not logo.logo(png(400, 80)).needs("Extremely Long Company Name")
    assert logo.logo(png(72, 72)).needs("A")


def test_without_a_logo_a_mail_loads_nothing():
    html, _ = look(Brand(name="Acme"), worded("nps", brand="Acme"), None, "https://f.acme.example/logo/")

    assert "<img" not in html
    assert 'aria-hidden="true">A</td>' in html
