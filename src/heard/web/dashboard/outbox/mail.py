"""A kept mail, taken apart to be looked at: its page for a frame, its text, its headers."""

from __future__ import annotations

import re
from email.message import EmailMessage

from litestar import Response

from heard.errors import NotFound

VIEWS = {"phone": "Phone", "desktop": "Desktop", "text": "Plain text", "headers": "Headers"}
HEADERS_SHOWN = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post",
)  # fmt: skip
# A mail brings its own styles and the brand's picture, nothing else; it cannot reach the page around it. Its links open
# in a new tab.
POLICY_OF_A_MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": POLICY_OF_A_MAIL,
}
DARK = "@media (prefers-color-scheme: dark)"
_PICTURE = re.compile(r'src="https?://[^/"]+((?:/[^"]*)?/logo/[0-9a-f]{32}\.\w+)"')


def framed(mail: EmailMessage, theme: str | None) -> Response[bytes]:
    """The HTML part. With a theme it looks as in a program of that theme, whatever the reader's own is.

    Raises:
        NotFound: it has none.
    """
    body = mail.get_body(("html",))
    if body is None:
        raise NotFound("This mail has no HTML part.")
    html: str = body.get_content()
    if theme:
        html = html.replace(DARK, "@media all" if theme == "dark" else "@media not all")
        html = html.replace("color-scheme: light dark", f"color-scheme: {theme}")
        html = html.replace('content="light dark"', f'content="{theme}"')
    html = _PICTURE.sub(r'src="\1"', html)  # a member may be here by another name than mails give us
    html = html.replace("<head>", '<head><base target="_blank">', 1)
    return Response(html.encode(), media_type="text/html", headers=dict(HEADERS))


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return body.get_content() if body else "This mail has no text part."


def headers_of(mail: EmailMessage) -> str:
    return "\n".join(f"{name}: {mail[name]}" for name in HEADERS_SHOWN if mail[name])
