"""`POST /hooks/email/{provider}/{key}`: what became of mails, as providers and mail servers tell it.

The key says whose mails, and whoever has it may report; where the provider signs and its secret is kept, what is not
signed is refused. A report that is told again counts once, so everything that was understood is answered with 200.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog
from litestar import Request, Response, post
from litestar.params import FromPath

from heard.channels.email.reports import ses, sns
from heard.channels.email.reports.provider import Provider
from heard.channels.email.reports.providers import BY_NAME
from heard.errors import Invalid
from heard.installation import Installation
from heard.outgoing.exchange import NoAnswer
from heard.outgoing.exchange import Request as Outgoing
from heard.steps import report
from heard.web.api.errors import error

MOST = 2 << 20  # octets: SendGrid sends batches of up to 768 KB, mail servers quote whole mails
log = structlog.get_logger()


def routes(app: Installation) -> list[Any]:
    @post("/hooks/email/{provider:str}/{key:str}", include_in_schema=False, status_code=200, request_max_body_size=MOST)
    async def take_report(
        request: Request[Any, Any, Any], provider: FromPath[str], key: FromPath[str]
    ) -> Response[Any]:
        known = BY_NAME.get(provider)
        if known is None:
            return error(404, f"Heard reads no reports of {provider[:40]!r}. It reads those of {', '.join(BY_NAME)}.")
        workspace = app.reports_of(key)
        if workspace is None:
            return error(401, "This is no workspace's address for reports. Copy it from Settings > Mail.")
        body, headers = await request.body(), {name.lower(): value for name, value in request.headers.items()}
        try:
            if (problem := await _unproven(app, workspace, known, body, headers)) is not None:
                return error(401, problem)
            notices = known.read(body)
            if known is ses.SES and (url := ses.confirmation(body)) is not None:
                return await _confirm(app, url)
        except Invalid as problem:
            return error(400, str(problem), field=problem.field)
        except NoAnswer as problem:  # whoever reports tries again
            log.warning("mail_report_not_proven", provider=known.name, workspace=workspace, error=str(problem))
            return error(503, str(problem))
        now = app.clock.now()
        taken: report.Taken = await app.store.write(
            partial(
                report.take,
                workspace=workspace,
                provider=known.name,
                notices=notices,
                anybody=known.anybody,
                now=now,
            )
        )
        if taken.kept:
            log.info("mail_reported", provider=known.name, workspace=workspace, kept=taken.kept)
        await app.stop_what_must(workspace, taken.to_judge)
        return Response({"kept": taken.kept, "repeated": taken.repeated, "not_ours": taken.not_ours})

    return [take_report]


async def _unproven(
    app: Installation, workspace: int, known: Provider, body: bytes, headers: dict[str, str]
) -> str | None:
    """Why a report is refused. Raises NoAnswer when what proves it cannot be had just now."""
    secret = app.mail_of(workspace).secrets.get(known.name)
    if not secret or known.proof is None:
        return None
    problem = known.proof(body, headers, secret)
    return await sns.unproven(body, app.certificates.of) if problem is None and known is ses.SES else problem


async def _confirm(app: Installation, url: str) -> Response[Any]:
    """SNS sends nothing before somebody has opened this address, which is one of its own."""
    answer = await app.outgoing.send(Outgoing(method="GET", url=url))
    if answer.status != 200:
        return error(502, f"Amazon SNS could not be told yes: {answer.detail or answer.status}. Confirm it again.")
    return Response({"confirmed": True})
