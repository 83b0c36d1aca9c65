"""The analytics let go of their memory while somebody fills it."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread

from heard.scores.answered import Answered
from heard.store.analytics import Analytics
from tests.contracts.test_analytics import Kept, an_answer


def test_what_is_let_go_of_while_it_is_read_is_read_anew():
    kept = Kept(*(an_answer(number) for number in range(1, 6)))
    analytics, letting_go = Analytics(), list[Thread]()

    def changed(revision: int, limit: int) -> Sequence[Answered]:
        found = kept.changed(revision, limit)
        if revision and not letting_go:  # a survey got another name meanwhile
            letting_go.append(Thread(target=analytics.close))
            letting_go[0].start()
            letting_go[0].join(timeout=0.2)
        return found

    analytics.refresh(changed, limit=2)
    letting_go[0].join()
    analytics.refresh(kept.changed)

    assert len(analytics.matching(1).ids) == 5
