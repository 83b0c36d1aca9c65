"""What each role may do, and whom it may make what."""

from __future__ import annotations

import pytest

from heard.accounts.member import Action, Role, may, may_give, who_may

ALLOWED = {
    Role.VIEWER: {Action.SEE},
    Role.MEMBER: {Action.SEE, Action.ASK},
    Role.ADMIN: {
        Action.SEE, Action.ASK, Action.SET_UP, Action.KEYS, Action.MEMBERS, Action.AUDIT,
    },
    Role.OWNER: {
        Action.SEE, Action.ASK, Action.SET_UP, Action.KEYS, Action.MEMBERS, Action.AUDIT, Action.WORKSPACES,
    },
}  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_this_and_no_more(role: Role):
    assert {action for action in Action if may(role, action)} == ALLOWED[role]


@pytest.mark.parametrize(
    ("action", "lowest"),
    [
        (Action.SEE, Role.VIEWER),
        (Action.ASK, Role.MEMBER),
        (Action.SET_UP, Role.ADMIN),
        (Action.MEMBERS, Role.ADMIN),
        (Action.WORKSPACES, Role.OWNER),
    ],
)
def test_somebody_who_may_not_is_told_which_role_may(action: Action, lowest: Role):
    assert who_may(action) == lowest


def test_nobody_gives_more_than_they_have():
    given = {giver: {role for role in Role if may_give(giver, role)} for giver in Role}

    assert given == {
        Role.OWNER: set(Role),
        Role.ADMIN: {Role.ADMIN, Role.MEMBER, Role.VIEWER},
        Role.MEMBER: set(),
        Role.VIEWER: set(),
    }
