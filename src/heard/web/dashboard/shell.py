"""What every page of the dashboard stands in: rail, workspace, menus, and the policy that keeps strangers' code out.

Pages are whole without a script; htmx makes them quicker. Nothing is loaded from anywhere else.
"""

from __future__ import annotations

from pathlib import Path
from string import punctuation
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from litestar import Response
from markupsafe import Markup

from heard.accounts.mail_settings import Stopped
from heard.accounts.workspace import Workspace
from heard.campaigns.campaign import Campaign, Status
from heard.installation import Installation
from heard.web.dashboard import say
from heard.web.dashboard.door import SAID, Visit, cookie

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": POLICY,
}
TEMPLATES = Path(__file__).parent.parent / "templates"


class Dashboard:
    """What page modules get: the installation, and how to answer."""

    def __init__(self, app: Installation) -> None:
        self.app = app
        self.base = urlsplit(app.base_url).path.rstrip("/")
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        now = app.clock.now
        self._templates.filters |= {
            "num": say.num,
            "signed": say.signed,
            "percent": say.percent,
            "lasting": say.length,
            "initials": say.initials,
            "clock": say.clock,
            "ticked": say.ticked,
            "day": lambda at: say.day(at, now()),
            "moment": lambda at: say.moment(at, now()),
            "ago": lambda at: say.ago(at, now()),
            "distance": lambda at: say.distance(at, now()),
            "when": lambda at: say.when(at, now()),
        }
        self._templates.globals |= {"base": self.base, "origin": app.base_url, "outbox_is_used": app.outbox is not None}

        self._templates.globals["stopped"] = self.stopped

    def stopped(self, campaign: Campaign) -> Stopped | None:
        """Why Heard paused this campaign by itself; None = it did not, or it was activated since."""
        stop = self.app.mail_of(campaign.workspace).stop_of(campaign.id)
        return stop if stop is not None and campaign.status == Status.PAUSED and not stop.over else None

    def page(self, visit: Visit, template: str, *, here: str = "", status: int = 200, **view: Any) -> Response[bytes]:
        """A page of the workspace that `visit` looks at. `here` is its place in the rail ("contacts")."""
        answer = self._html(
            template,
            status,
            visit=visit,
            here=here,
            csrf=self.csrf(visit),
            theme=visit.theme,
            outbox_is_used=self.app.outbox_of(visit.workspace.id) is not None,
            **view,
        )
        if visit.said:  # a toast is shown once
            answer.cookies.append(cookie(self.app, SAID, "", seconds=0))
        return answer

    def csrf(self, visit: Visit) -> Markup:
        """The field by which a form shows that it is ours."""
        return Markup('<input type="hidden" name="form_token" value="{}">').format(visit.form)

    def outside(self, template: str, status: int = 200, *, theme: str | None = None, **view: Any) -> Response[bytes]:
        """A page for somebody who is not signed in."""
        return self._html(template, status, theme=theme, **view)

    def to(self, path: str, said: str | None = None) -> Response[bytes]:
        """On to another page after a POST; `said` is what the act came to, shown there once."""
        location = self.base + quote(path, safe=punctuation)  # a header holds no letter beyond ASCII
        answer = Response(b"", status_code=303, headers={"Location": location, "Cache-Control": "no-store"})
        if said:
            answer.cookies.append(cookie(self.app, SAID, said, seconds=60))
        return answer

    def render(self, template: str, **view: Any) -> str:
        return self._templates.get_template(f"dashboard/{template}").render(now=self.app.clock.now(), **view)

    def workspace(self, number: int) -> Workspace:
        return self.app.directory.workspaces[number]

    def _html(self, template: str, status: int, **view: Any) -> Response[bytes]:
        html = self.render(template, **view)
        return Response(html.encode(), status_code=status, media_type="text/html", headers=dict(HEADERS))
