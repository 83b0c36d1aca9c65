"""What the router makes of messages, on both engines."""

from __future__ import annotations

from functools import partial

import pytest

from heard.accounts.workspace import Brand
from heard.contacts.written import Person
from heard.log.log import Damage, Record
from heard.steps import enlist
from heard.store import cursors, lists, tables, tail
from heard.store.tail import Wanted
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, HOUR, MINUTE, NOON


def test_an_identify_makes_a_contact_with_every_trait(desk: Desk):
    desk.receive(
        desk.identify("ted", email="Ted@Mosby.example", firstName="Ted", plan="Premium", address={"city": "NY"})
    )

    (ted,) = desk.rows(tables.contacts)
    assert (ted.user_id, ted.email, ted.email_key) == ("ted", "Ted@Mosby.example", "ted@mosby.example")
    assert ted.traits == b'{"email":"Ted@Mosby.example","firstName":"Ted","plan":"Premium","address":{"city":"NY"}}'
    assert ted.first_seen == NOON


def test_a_later_identify_updates_the_same_contact_and_keeps_first_seen(desk: Desk):
    desk.receive(desk.identify("ted", plan="Basic", city="NY"))
    desk.wait(DAY)
    desk.receive(desk.identify("ted", plan="Premium"))

    (ted,) = desk.rows(tables.contacts)
    assert ted.traits == b'{"plan":"Premium","city":"NY"}'
    assert ted.first_seen == NOON


def test_two_identifies_in_one_batch_are_taken_in_order(desk: Desk):
    desk.receive(desk.identify("ted", plan="Basic"), desk.identify("ted", plan="Premium"))

    assert [row.traits for row in desk.rows(tables.contacts)] == [b'{"plan":"Premium"}']


def test_without_a_user_id_there_is_no_contact_and_it_is_counted(desk: Desk):
    desk.receive(desk.identify(None, plan="Basic"))

    assert desk.rows(tables.contacts) == []
    counted = {row.name: row.n for row in desk.rows(tables.tallies)}
    assert counted == {"accepted:no_user_id": 1, "source:1": 1, "intake": 1}


def test_an_audience_sync_updates_but_never_makes_a_contact(desk: Desk):
    sync = desk.identify("ted", big_spender=True) | {"context": {"personas": {"computation_class": "audience"}}}
    desk.receive(sync)
    assert desk.rows(tables.contacts) == []

    desk.receive(desk.identify("ted", plan="Basic"), sync | {"messageId": "again"})
    assert [row.traits for row in desk.rows(tables.contacts)] == [b'{"plan":"Basic","big_spender":true}']


def test_an_identify_adopts_the_one_contact_known_by_address_alone(desk: Desk):
    desk.add(
        tables.contacts,
        workspace_id=ACME,
        id=77,
        email="ted@mosby.example",
        email_key="ted@mosby.example",
        traits=b'{"vip":true}',
        first_seen=NOON - DAY,
    )
    desk.receive(desk.identify("ted", email="TED@mosby.example"))

    (ted,) = desk.rows(tables.contacts)
    assert (ted.id, ted.user_id, ted.first_seen) == (77, "ted", NOON - DAY)
    assert ted.traits == b'{"vip":true,"email":"TED@mosby.example"}'


def test_the_zone_of_a_browser_is_kept_beside_the_traits_until_it_says_another(desk: Desk):
    def zone(user: str) -> tuple[str | None, bytes]:
        return next((row.zone, row.traits) for row in desk.rows(tables.contacts) if row.user_id == user)

    tokyo, berlin = ({"context": {"timezone": name}} for name in ("Asia/Tokyo", "Europe/Berlin"))
    desk.receive(desk.identify("ted", plan="Basic") | tokyo, desk.identify("lily") | berlin)
    assert zone("ted") == ("Asia/Tokyo", b'{"plan":"Basic"}')

    desk.receive(desk.identify("ted", plan="Premium"), desk.track("ted") | berlin, desk.identify(None) | berlin)
    assert zone("ted") == ("Asia/Tokyo", b'{"plan":"Premium"}'), "a server says none, and an event is not asked"
    desk.receive(desk.identify("ted") | berlin)
    assert (zone("ted")[0], zone("lily")[0]) == ("Europe/Berlin", "Europe/Berlin")


def test_whoever_is_adopted_has_the_zone_of_whoever_adopts_them(desk: Desk):
    known = partial(enlist.enlist, workspace=ACME, name=None, directory=desk.directory, now=desk.now)
    desk.store.write_now(partial(known, named=[Person(email="ted@mosby.example")]))
    desk.receive(desk.identify("ted", email="ted@mosby.example") | {"context": {"timezone": "Asia/Tokyo"}})
    desk.store.write_now(partial(known, named=[Person(user_id="ted", traits={"plan": "Premium"})]))

    assert [(row.user_id, row.zone) for row in desk.rows(tables.contacts)] == [("ted", "Asia/Tokyo")]


def test_an_address_that_several_share_adopts_nobody(desk: Desk):
    for number in (77, 78):
        desk.add(
            tables.contacts,
            workspace_id=ACME,
            id=number,
            email="ted@mosby.example",
            email_key="ted@mosby.example",
            traits=b"{}",
            first_seen=NOON,
        )
    desk.receive(desk.identify("ted", email="ted@mosby.example"))

    assert len(desk.rows(tables.contacts)) == 3


def test_every_message_is_kept_with_all_its_properties(desk: Desk):
    order = desk.track("ted", products=[{"sku": "a b", "price": 1.5}], total=25, note=None)
    desk.receive(desk.identify("ted"), order, desk.track("ted", "Page Scrolled", depth=3))

    kept = desk.store.read_now(lambda connection: tail.back(connection, ACME, Wanted(user_id="ted")).found)
    assert [(each.type, each.event, each.verdict) for each in kept] == [
        ("track", "Page Scrolled", "accepted"),
        ("track", "Order Completed", "accepted"),
        ("identify", None, "accepted"),
    ]
    assert b'"products":[{"sku":"a b","price":1.5}]' in kept[1].body


def test_a_matching_event_of_an_identified_contact_is_an_invitation(desk: Desk):
    desk.campaign(list="Asked", delay="3d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted", total=25))

    assert desk.decisions("ted") == [("invited", [])]
    (delivery,) = desk.rows(tables.deliveries)
    assert (delivery.state, delivery.due_at, delivery.properties) == ("scheduled", NOON + 3 * DAY, b'{"total":25}')
    (touch,) = desk.rows(tables.touches)
    assert (touch.state, touch.at) == ("reserved", NOON + 3 * DAY)
    assert desk.store.read_now(lambda connection: lists.of_contact(connection, ACME, touch.contact_id)) == ["Asked"]


@pytest.mark.parametrize(
    ("told", "sent"), [("Order Completed", "Completed Order"), ("Completed Order", "Order Completed")]
)
def test_both_names_of_a_finished_order_trigger(desk: Desk, told: str, sent: str):
    desk.campaign(event=told)
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted", sent))

    assert desk.decisions("ted") == [("invited", [])]


def test_another_event_is_not_decided_at_all(desk: Desk):
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted", "order completed"))

    assert desk.decisions("ted") == []


def test_conditions_see_the_event_and_the_contact(desk: Desk):
    desk.campaign(where="properties.total > 20 and traits.plan = 'Premium'")
    desk.receive(
        desk.identify("ted", email="ted@mosby.example", plan="Premium"),
        desk.track("ted", total=20),
        desk.track("ted", total=21),
    )

    assert desk.decisions("ted") == [("declined", ["conditions_not_met"]), ("invited", [])]


def test_ready_turns_active_with_the_first_match_whatever_the_decision(desk: Desk):
    desk.campaign(status="ready", where="properties.total > 20")
    desk.receive(desk.identify("ted"), desk.track("ted", total=1))
    assert desk.directory.campaigns[1].status == "ready"  # conditions not met

    routed = desk.receive(desk.track("ted", total=25))  # no address: declined, and yet a match
    assert desk.directory.campaigns[1].status == "active"
    assert routed.activated == {1}


def test_a_second_order_within_the_throttle_is_declined_with_the_day_it_lapses(desk: Desk):
    desk.campaign(throttle="90d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    desk.send()
    desk.wait(2 * DAY)
    desk.receive(desk.track("ted"))

    assert desk.decisions("ted") == [("invited", []), ("declined", ["campaign_throttle"])]
    (declined,) = [row for row in desk.rows(tables.decisions) if row.outcome == "declined"]
    assert declined.objections[0].until == NOON + 90 * DAY


def test_two_matching_events_in_one_batch_ask_once(desk: Desk):
    desk.campaign(throttle="90d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"), desk.track("ted"))

    assert [outcome for outcome, _ in desk.decisions("ted")] == ["invited", "declined"]


def test_two_users_of_one_mailbox_are_one_person_to_the_ledger(desk: Desk):
    desk.campaign(throttle="90d")
    desk.receive(
        desk.identify("ted", email="ted@mosby.example"),
        desk.identify("teddy", email="TED@mosby.example"),
        desk.track("ted"),
        desk.track("teddy"),
    )

    assert len(desk.rows(tables.contacts)) == 2
    assert desk.decisions("teddy") == [("declined", ["campaign_throttle", "asked_within_24h"])]


def test_an_event_of_last_year_is_declined(desk: Desk):
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted", at=NOON - 365 * DAY))

    assert desk.decisions("ted") == [("declined", ["event_too_old"])]


def test_line_09_fault_16_17_the_same_message_twice_is_one_message(desk: Desk):
    desk.campaign()
    order = desk.track("ted")
    routed = desk.receive(desk.identify("ted", email="ted@mosby.example"), order, order)
    assert (routed.messages, routed.repeated) == (2, 1)

    assert desk.receive(order).repeated == 1
    desk.wait(23 * HOUR)
    assert desk.receive(order).repeated == 1
    assert len(desk.decisions("ted")) == 1


def test_the_same_message_days_later_still_leads_to_nothing_twice(desk: Desk):
    desk.campaign()
    order = desk.track("ted")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), order)
    desk.wait(5 * DAY)
    desk.receive(order)

    assert len(desk.decisions("ted")) == 1


def test_line_09_the_same_id_from_another_source_is_another_message(desk: Desk):
    desk.add(tables.sources, workspace_id=ACME, id=2, name="App", write_key="wk_app", created_at=NOON)
    order = desk.track("ted")
    desk.receive(order)

    assert desk.receive(order, source=2).messages == 1


def test_fault_19_the_same_id_in_another_workspace_is_another_message_of_that_workspace(desk: Desk):
    desk.add(tables.workspaces, id=2, name="Other", slug="other", brand=Brand(name="Other"), created_at=NOON)
    desk.add(tables.sources, workspace_id=2, id=2, name="App", write_key="wk_other", created_at=NOON)
    order = desk.track("ted")
    desk.receive(order)
    desk.receive(order, source=2)

    ours, theirs = (
        desk.store.read_now(partial(tail.back, workspace=workspace, wanted=Wanted(user_id="ted"))).found
        for workspace in (ACME, 2)
    )
    assert [each.message_id for each in ours] == [each.message_id for each in theirs] == [order["messageId"]]


def test_fault_28_the_integrations_object_decides_who_may_have_a_message(desk: Desk):
    desk.campaign()
    desk.receive(
        desk.identify("ted", email="ted@mosby.example"),
        desk.track("ted") | {"integrations": {"All": False}},
        desk.track("ted") | {"integrations": {"Promoter.io": False}},
        desk.track("ted") | {"integrations": {"promoter.io": False, "All": False, "Heard": {"a": 1}}},
    )

    assert len(desk.decisions("ted")) == 1
    kept = desk.store.read_now(lambda connection: tail.back(connection, ACME, Wanted(user_id="ted")).found)
    assert [each.reason for each in kept] == [None, "integrations_object", "integrations_object", None]


def test_a_track_that_overtakes_its_identify_is_held_and_then_invited(desk: Desk):
    desk.campaign()
    desk.receive(desk.track("ted"))
    assert desk.decisions("ted") == [("held", ["not_identified"])]
    assert _verdicts(desk) == ["held"]

    desk.wait(MINUTE)
    desk.receive(desk.identify("ted", email="ted@mosby.example"))
    assert desk.decisions("ted") == [("invited", [])]
    assert _verdicts(desk) == ["accepted", "accepted"]
    (row,) = desk.rows(tables.decisions)
    assert [before.outcome for before in row.revisions] == ["held"]


def test_a_track_and_its_identify_in_one_batch_in_swapped_order(desk: Desk):
    desk.campaign(where="traits.plan = 'Premium'")
    desk.receive(desk.track("ted"), desk.identify("ted", email="ted@mosby.example", plan="Premium"))

    assert desk.decisions("ted") == [("invited", [])]
    assert _verdicts(desk) == ["accepted", "accepted"]


def test_nobody_identified_in_time_is_declined_in_the_same_row(desk: Desk):
    desk.campaign()
    desk.receive(desk.track("ted"))
    desk.wait(10 * MINUTE)
    assert desk.lapse() == 1

    assert desk.decisions("ted") == [("declined", ["not_identified"])]
    assert _verdicts(desk) == ["accepted"]
    desk.receive(desk.identify("ted", email="ted@mosby.example"))
    assert desk.decisions("ted") == [("declined", ["not_identified"])]


def test_without_patience_the_rule_is_strict(desk: Desk):
    desk.intake(late_identify="0s")
    desk.campaign()
    desk.receive(desk.track("ted"))

    assert desk.decisions("ted") == [("declined", ["not_identified"])]


def test_a_cap_counts_the_batch_it_decides(desk: Desk):
    desk.campaign(daily_cap=2)
    people = [desk.identify(name, email=f"{name}@x.example") for name in ("ted", "lily", "robin")]
    desk.receive(*people, *(desk.track(name) for name in ("ted", "lily", "robin")))

    assert desk.decisions("robin") == [("declined", ["campaign_daily_cap"])]


def test_a_cap_counts_what_was_invited_before(desk: Desk):
    desk.campaign(quota=1)
    desk.receive(desk.identify("ted", email="ted@x.example"), desk.track("ted"))
    desk.receive(desk.identify("lily", email="lily@x.example"), desk.track("lily"))

    assert desk.decisions("lily") == [("declined", ["quota_reached"])]


def test_a_damaged_record_is_kept_aside_and_the_rest_goes_on(desk: Desk):
    good = desk.record({"batch": [desk.identify("ted")]})
    poison = Record(good.next_offset, good.next_offset + 10, b"\xc1 not msgpack")
    damage = Damage(good.next_offset + 10, 5, "checksum", b"12345")
    last = Record(good.next_offset + 15, good.next_offset + 20, desk.record({"batch": [desk.identify("lily")]}).payload)
    routed = desk.route([good, poison, damage, last])

    assert routed.set_aside == 2
    assert {row.user_id for row in desk.rows(tables.contacts)} == {"ted", "lily"}
    assert [row.data for row in desk.rows(tables.set_aside)] == [b"\xc1 not msgpack", b"12345"]
    assert desk.store.read_now(lambda connection: cursors.get(connection, cursors.ROUTER)) == last.next_offset


def test_a_batch_that_fails_leaves_nothing_behind(desk: Desk):
    record = desk.record({"batch": [desk.identify("ted")]})

    def half(connection) -> None:
        from heard.steps import route

        route.route(connection, [record], directory=desk.directory, now=desk.now, days_made=set())
        raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError):
        desk.store.write_now(half)

    assert desk.rows(tables.contacts) == []
    assert desk.route([record]).messages == 1


def _verdicts(desk: Desk) -> list[str]:
    kept = desk.store.read_now(lambda connection: tail.back(connection, ACME, Wanted(user_id="ted")).found)
    return [each.verdict for each in kept]


def test_what_a_rejected_message_says_of_itself_fits_every_database(desk: Desk):
    desk.receive(desk.track("x" * 6000), desk.track("nul\0user") | {"event": "y" * 40_000}, desk.identify("ted"))

    assert [row.user_id for row in desk.rows(tables.contacts)] == ["ted"]
    kept = desk.store.read_now(lambda connection: tail.back(connection, ACME, Wanted(verdict="rejected")).found)
    assert sorted(len(each.user_id or "") for each in kept) == [8, 512]


def test_a_retry_just_after_midnight_in_the_same_batch_is_one_message(desk: Desk):
    order = desk.track("ted")
    desk.now = NOON.replace(hour=23, minute=59, second=59)
    before = desk.record({"batch": [desk.identify("ted", email="ted@mosby.example"), order]})
    desk.wait(MINUTE)
    after = desk.record({"batch": [order]})
    routed = desk.route([before, after])

    assert (routed.messages, routed.repeated) == (2, 1)
    kept = desk.store.read_now(lambda connection: tail.back(connection, ACME, Wanted(user_id="ted")).found)
    assert [each.type for each in kept] == ["track", "identify"]
