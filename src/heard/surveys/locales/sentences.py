"""What a language has to be able to say. A file that leaves a sentence out does not import.

Sentences hold `{names}` in braces; whoever says them fills those in with `str.format`. The sentences are ours; what is
filled in (a brand, a person's name) is never read as a sentence itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from heard.surveys.question import Scale, Words


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of a survey mail: everything but the question, and what members write (subject, greeting)."""

    subject: str  # as members may write it: what stands in two pairs of braces is replaced
    intro: str  # likewise
    preheader: str
    number_of: str  # {number}, {high}: the name of one link
    number_means: str  # {number}, {high}, {meaning}: the name of a link at either end
    opens_a_page: str
    replies: str  # only said where the workspace names an address for replies
    because: str  # {because}
    no_reason: str  # {brand}: where nothing the person did set it off
    at_most: str  # {length}
    unsubscribe: str
    unsubscribe_at: str  # {link}
    choose: str  # leads the list of links in the text part
    reminder_subject: str  # {subject}: of the first mail
    reminder: str  # {day}: on which the first mail went out; stands below the greeting


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The pages a respondent sees."""

    title: str  # {brand}
    tapped: str  # {number}
    answered_before: str  # {number}, {day}
    optional: str
    send: str
    sees: str  # {brand}
    asked_because: str  # {because}
    leave: str
    choose_one: str  # {low}, {high}
    too_long: str  # {longest}
    error: str  # leads the title of a page that was sent back
    thanks: str
    thanks_name: str  # {name}
    received: str  # {brand}
    your_answer: str
    answered: str  # {number}, {high}, {day}
    answered_and_wrote: str
    change: str
    change_until: str  # {day}
    not_before: str  # {brand}, {day}
    closed: str
    closed_on: str  # {day}
    closed_lead: str  # {brand}
    unknown: str
    unknown_lead: str
    nameless: str  # a public link that came without a name
    nameless_lead: str  # {brand}
    said_before: str
    said_before_lead: str  # {brand}
    not_taken: str
    not_taken_lead: str  # {brand}
    stop: str  # {brand}
    stop_lead: str  # {brand}
    stop_button: str
    less: str  # the button of "less often"
    less_lead: str  # {brand}, {length}
    less_done: str
    less_done_lead: str  # {brand}, {length}
    this_one: str  # the button of "not this survey, others yes"
    this_one_lead: str
    this_one_done: str
    this_one_done_lead: str  # {brand}
    stopped: str
    stopped_lead: str  # {brand}
    undo: str
    undone: str
    undone_lead: str  # {brand}
    back_to_survey: str
    nothing_here: str
    nothing_here_lead: str
    failed: str
    failed_lead: str


class Locale(msgspec.Struct, frozen=True, kw_only=True):
    code: str  # a language tag in small letters, like `pt-br`
    name: str  # as its speakers call it
    english: str  # as the dashboard, which is in English, calls it
    reviewed: bool  # False: translated by a machine, and nobody who speaks it has read it yet
    direction: str  # ltr or rtl
    months: tuple[str, ...]
    day: str  # {day}, {month}
    first: str = "1"  # how the first of a month is written
    day_and_year: str  # {day}, {month}, {year}
    joint: str = " "  # stands between two sentences
    lengths: Mapping[str, Mapping[str, str]]  # unit -> category of plural -> {count} of it; fits where {length} stands
    happened: Mapping[str, str]  # event -> "you placed an order"; the spelling of the event is the canonical one
    on_day: str  # {happened}, {day}
    event_on_day: str  # {event}, {day}: for an event that nobody has put into words
    mail: Mail
    page: Page
    questions: Mapping[
        str, tuple[Scale, Words]
    ]  # kind -> its questions, translated; {} where the kinds' own words serve

    def on(self, at: datetime, *, now: datetime) -> str:
        """The day, with its year when that is not the year `now`: `19 November`, `20 February 2027`."""
        said = self.day if at.year == now.year else self.day_and_year
        return said.format(day=self.first if at.day == 1 else at.day, month=self.months[at.month - 1], year=at.year)
