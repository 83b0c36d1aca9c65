"""However a stream is cut into batches, it says the same about who is who, and the same is decided."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard.store import tables
from tests.contracts.desk import Desk

people = st.sampled_from(["ted", "lily", "a", "b"])
browsers = st.sampled_from(["a", "b", "null"])
message = st.one_of(
    st.tuples(st.just("identify"), people, st.one_of(st.none(), browsers)),
    st.tuples(st.just("alias"), people, st.one_of(people, browsers)),
    st.tuples(st.just("track"), st.one_of(st.none(), people), browsers),
    st.tuples(st.just("group"), st.one_of(st.none(), people), browsers),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=st.lists(message, min_size=2, max_size=14), cuts=st.sets(st.integers(1, 13)), again=st.booleans())
def test_any_cut_into_batches_gives_the_same_links_and_decisions(stream: list[Any], cuts: set[int], again: bool):
    assert _after(stream, cuts, again=again) == _after(stream, set(), again=False)


def _after(stream: list[Any], cuts: set[int], *, again: bool) -> dict[str, list[Any]]:
    """What is kept when the stream is routed in batches; `again`: each of them twice."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(f"sqlite:///{Path(folder) / 'heard.db'}")
        try:
            desk.campaign(1, throttle="20d", status="ready")
            messages = [_message(desk, each) for each in stream]
            edges = [0, *sorted(cut for cut in cuts if cut < len(messages)), len(messages)]
            for start, end in itertools.pairwise(edges):
                for _ in range(2 if again else 1):
                    desk.receive(*messages[start:end])
            return _kept(desk)
        finally:
            desk.close()


def _message(desk: Desk, what: tuple[str, str | None, str | None]) -> dict[str, Any]:
    kind, user, other = what
    ids = {"userId": user, "anonymousId": other}
    if kind == "identify":
        return desk.identify(user, email=f"{user}@x.example") | ids
    if kind == "track":
        return desk.track(user) | ids
    if kind == "group":
        return desk._message("group", user, None, groupId=f"of {other}", traits={str(user): 1}) | ids
    return desk._message("alias", user, None, previousId=other)


def _kept(desk: Desk) -> dict[str, list[Any]]:
    """By what outsiders know them: numbers of our own differ."""
    groups = {row.id: row.group_id for row in desk.rows(tables.groups)}
    return {
        "links": sorted((row.anonymous_id, row.user_id) for row in desk.rows(tables.anonymous_ids)),
        "contacts": sorted((row.user_id, row.traits) for row in desk.rows(tables.contacts)),
        "groups": sorted((row.group_id, row.traits) for row in desk.rows(tables.groups)),
        "members": sorted((groups[row.group_id], row.member, row.anonymous) for row in desk.rows(tables.group_members)),
        "decisions": sorted(
            (row.trigger, row.user_id, row.anonymous_id, row.outcome, [no.reason for no in row.objections])
            for row in desk.rows(tables.decisions)
        ),
        "tallies": sorted((row.name, row.n) for row in desk.rows(tables.tallies) if row.n),
    }
