"""Pausing campaigns whose mails bounce or are reported as spam too often, before providers refuse the sender."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlalchemy import Connection

from heard.accounts.mail_settings import Stopped
from heard.campaigns.campaign import RUNNING, Status
from heard.deliveries.protection import LIMITS, LOOKS_BACK, why_stop
from heard.store import audit, edits, mail_events, mail_settings, tables
from heard.store.edits import Row

log = structlog.get_logger()


def stop_what_must(connection: Connection, workspace: int, campaigns: Iterable[int], *, now: datetime) -> list[int]:
    """Pause those of these campaigns that are over a limit; gives which. What is scheduled waits, as for any pause.

    After somebody activated it again only what went out since counts, or it would stop at once.
    """
    wanted = set(campaigns)
    surveys = {row["id"]: row["name"] for row in edits.rows_of(connection, tables.surveys, workspace)}
    rows = [row for row in edits.rows_of(connection, tables.campaigns, workspace) if row["id"] in wanted]
    stopped: list[int] = []
    for row in rows:
        if Status(row["status"]) not in RUNNING:
            continue
        earlier = mail_settings.of(connection, workspace).stop_of(row["id"])
        since = max(now - LOOKS_BACK, earlier.since) if earlier else now - LOOKS_BACK
        why = _why(connection, workspace, row["id"], since)
        if why is None:
            continue
        _pause(connection, workspace, row, surveys[row["survey_id"]], why, now)
        log.warning("campaign_stopped", workspace=workspace, campaign=row["id"], why=why)
        stopped.append(row["id"])
    return stopped


def _why(connection: Connection, workspace: int, campaign: int, since: datetime) -> str | None:
    for kind, limit in LIMITS.items():
        bad = mail_events.deliveries_that(connection, workspace, campaign, kind, since=since)
        if not bad:
            continue
        sends = mail_events.sends(connection, workspace, campaign, since=since, most=limit.enough(bad))
        if (why := why_stop(kind, bad=bad, sends=sends)) is not None:
            return why
    return None


def _pause(connection: Connection, workspace: int, row: Row, survey: str, why: str, now: datetime) -> None:
    edits.keep_campaign(
        connection,
        workspace,
        row,
        survey_name=survey,
        now=now,
        name=row["name"],
        survey_id=row["survey_id"],
        settings=row["settings"],
        status=Status.PAUSED.value,
    )
    mail_settings.stop(connection, workspace, Stopped(campaign=row["id"], since=now, why=why))
    detail = {"was": row["status"], "why": why}
    audit.note(
        connection,
        workspace,
        by=audit.HEARD,
        what="campaign.stopped",
        subject=row["name"],
        at=now,
        detail=detail,
    )
