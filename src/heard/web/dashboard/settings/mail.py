"""`/settings/mail`: how mails of this workspace arrive, and where providers report what became of them."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from litestar import Request, Response, get, post

from heard.accounts.mail_settings import MailSettings
from heard.accounts.member import Action
from heard.channels.email.published import Finding
from heard.channels.email.reports.providers import BY_NAME, PROVIDERS
from heard.errors import DeliveryFailed, HeardError, Invalid
from heard.operations import doctor, mail, mail_server
from heard.operations.destination_try import TooOften
from heard.responses.opens import UNRELIABLE
from heard.web.dashboard.door import Visit, visit
from heard.web.dashboard.shell import Dashboard

SERVER = ("server", "user", "password")  # the fields of the form
WITH_USER = re.compile(r"//[^/]*@")
RATES = ("hour", "day", "domain", "warm_up")  # the fields of the form, and of `Rates`


def routes(dashboard: Dashboard) -> list[Any]:
    app = dashboard.app

    @get("/settings/mail", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def show_mail(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await mail_page(visit(request))

    @post("/settings/mail/key", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def new_key(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen = visit(request)
        await mail.new_key(app, seen.workspace.id, by=seen.email)
        return dashboard.to("/settings/mail", "There is a new address. The old one is refused.")

    @post("/settings/mail/secret", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def keep_secret(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        provider, secret = str(form.get("provider", "")), str(form.get("secret", ""))
        try:
            await mail.keep_secret(app, seen.workspace.id, provider=provider, secret=secret, by=seen.email)
        except Invalid as problem:
            return await mail_page(seen, 422, wrong_at=provider, wrong=str(problem))
        title = BY_NAME[provider].title
        return dashboard.to(
            "/settings/mail",
            f"Kept. Reports that {title} did not sign are refused." if secret.strip() else f"{title}: nothing is kept.",
        )

    @post("/settings/mail/dkim", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def change_dkim(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        act, workspace = str(form.get("act", "")), seen.workspace.id
        try:
            match act:
                case "make":
                    key = await mail.make_dkim_key(app, workspace, by=seen.email)
                    said = f"Publish it at {key.name}, then begin to sign."
                case "begin":
                    key = await mail.begin_to_sign(app, workspace, by=seen.email)
                    said = f"Mails of {key.domain} are signed from now on."
                case "stop":
                    await mail.stop_signing(app, workspace, by=seen.email)
                    said = "Mails are not signed any more."
                case _:
                    raise Invalid("Choose what to do with the key.")
        except Invalid as problem:
            return await mail_page(seen, 422, wrong_at="dkim", wrong=str(problem))
        return dashboard.to("/settings/mail", said)

    @post("/settings/mail/rates", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def set_rates(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        written = {name: str(form.get(name, "")) for name in RATES}
        try:
            await mail.set_rates(app, seen.workspace.id, written=written, by=seen.email)
        except Invalid as problem:
            return await mail_page(seen, 422, wrong_at=problem.field or "", wrong=str(problem), written=written)
        return dashboard.to("/settings/mail", "Saved. It holds for what goes out from now on.")

    @post("/settings/mail/opens", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def count_opens(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        on = form.get("count") == "yes"
        await mail.set_opens(app, seen.workspace.id, on=on, by=seen.email)
        said = (
            "Mails that go out from now on have a picture." if on else "Mails that go out from now on have no picture."
        )
        return dashboard.to("/settings/mail", said)

    @post("/settings/mail/server", opt={"may": Action.SET_UP}, include_in_schema=False, status_code=200)
    async def change_server(request: Request[Any, Any, Any]) -> Response[bytes]:
        seen, form = visit(request), await request.form()
        workspace, act = seen.workspace.id, str(form.get("act", ""))
        written = {name: str(form.get(name, "")) for name in SERVER}
        try:
            match act:
                case "set":
                    server = await mail_server.set_server(app, workspace, written=written, by=seen.email)
                    said = f"Mails go out through {server.host} from now on."
                case "remove":
                    await mail_server.remove_server(app, workspace, by=seen.email)
                    said = "The workspace has no mail server of its own any more."
                case "try":
                    answer = await mail_server.try_server(app, workspace, to=seen.email, by=seen.email)
                    said = f"Handed over to the mail server, for {seen.email}. It answered: {answer}"
                case _:
                    raise Invalid("Choose what to do with the mail server.", field="server")
        except Invalid as problem:
            kept = {**written, "server": WITH_USER.sub("//", written["server"]), "password": ""}
            at = problem.field if problem.field in SERVER else "tried"
            return await mail_page(seen, 422, wrong_at=at, wrong=str(problem), server=kept if act == "set" else None)
        except TooOften as problem:
            return await mail_page(seen, 429, wrong_at="tried", wrong=str(problem))
        except DeliveryFailed as problem:
            return await mail_page(seen, 422, wrong_at="tried", wrong=f"Not sent. {problem}")
        except HeardError as problem:
            return await mail_page(seen, 422, wrong_at="tried", wrong=str(problem))
        return dashboard.to("/settings/mail", said)

    @get("/settings/mail/check", opt={"may": Action.SET_UP}, include_in_schema=False)
    async def check_mail(request: Request[Any, Any, Any]) -> Response[bytes]:
        """What `heard doctor` says of this workspace; it asks the mail server and name servers."""
        seen = visit(request)
        whole, ours = await asyncio.gather(doctor.of_installation(app), doctor.of_workspace(app, seen.workspace))
        if app.mail_server_of(seen.workspace.id) is not None:
            whole = [each for each in whole if each.check != "Mail server"]  # theirs is among `ours`
        return await mail_page(seen, findings=[*whole, *ours])

    async def mail_page(
        seen: Visit,
        status: int = 200,
        *,
        wrong_at: str = "",
        wrong: str = "",
        written: dict[str, str] | None = None,
        server: dict[str, str] | None = None,
        findings: list[Finding] | None = None,
    ) -> Response[bytes]:
        settings, domain = app.mail_of(seen.workspace.id), doctor.sender_domain(seen.workspace)
        return dashboard.page(
            seen,
            "settings_mail.html",
            here="settings",
            tab="mail",
            status=status,
            providers=PROVIDERS,
            reports=await mail.reports(app, seen.workspace.id),
            domain=domain,
            signs=settings.signs(domain) if domain else None,
            waits=settings.waits(domain) if domain else None,
            findings=findings,
            rates=settings.rates,
            sending=await mail.sending(app, seen.workspace.id),
            server=settings.server,
            counts_opens=settings.count_opens,
            unreliable=UNRELIABLE,
            own_servers=app.settings.own_mail_servers,
            shared_server=app.settings.smtp_url is not None,
            server_fails=app.pipeline.postman.failing_apart.get(seen.workspace.id),
            written=(server or _of_server(settings))
            | (written or {name: str(getattr(settings.rates, name) or "") for name in RATES}),
            wrong_at=wrong_at,
            wrong=wrong,
        )

    return [show_mail, new_key, keep_secret, change_dkim, set_rates, change_server, count_opens, check_mail]


def _of_server(settings: MailSettings) -> dict[str, str]:
    server = settings.server
    return {"server": server.shown, "user": server.user, "password": ""} if server else dict.fromkeys(SERVER, "")
