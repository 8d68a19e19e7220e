"""Views of the list of clients that are saved: whose they are, what they keep, and who may remove them."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core import reports
from core.members import Member
from core.reports import MOST_VIEWS, EmptyView, TooManyViews, View, ViewNameTaken
from core.words import BadInput, NotAllowed, Role
from tests.conftest import Space

ASKED = {"payer": "partner", "search": "été", "order_by": "newest"}


def save(space: Space, by: Member, name: str, *, attempt: str = "", is_for_all: bool = False, **asked: str) -> View:
    with space.database.transaction() as session:
        return reports.save_view(session, by, name, asked or ASKED, is_for_all=is_for_all, attempt=attempt)


def remove(space: Space, by: Member, view: View) -> None:
    with space.database.transaction() as session:
        reports.remove_view(session, by, view.view_id)


def names(space: Space, member: Member) -> list[str]:
    with space.database.reading() as session:
        return [each.name for each in reports.views(session, member)]


def test_a_view_keeps_filters_and_order_for_whoever_saved_it(space: Space) -> None:
    """In the words of the address; nobody else finds it."""
    made = save(space, space.manager, "  Paid   by us ")
    with space.database.reading() as session:
        assert reports.views(session, space.manager) == [made]
    assert (made.name, made.is_for_all, made.asked) == ("Paid by us", False, ASKED)
    assert names(space, space.members[Role.ADMINISTRATOR]) == []


def test_everybodys_views_come_first_and_are_an_administrators(space: Space) -> None:
    """Others find them, and may neither save nor remove one."""
    administrator, accountant = space.members[Role.ADMINISTRATOR], space.members[Role.ACCOUNTANT]
    shared = save(space, administrator, "Zones", is_for_all=True)
    own = save(space, accountant, "Aubry")
    assert names(space, accountant) == ["Zones", "Aubry"]
    assert names(space, space.manager) == ["Zones"]
    for member in (space.manager, accountant):
        with pytest.raises(NotAllowed):
            save(space, member, "Another", is_for_all=True)
        with pytest.raises(NotAllowed):
            remove(space, member, shared)
    remove(space, space.manager, own)  # another member's: as if it were not there
    assert names(space, accountant) == ["Zones", "Aubry"]
    remove(space, administrator, shared)
    remove(space, administrator, shared)
    remove(space, accountant, own)
    assert names(space, accountant) == []


def test_a_name_is_found_once_without_case_and_accents(space: Space) -> None:
    """Among the member's own and everybody's; another member may have it too."""
    administrator = space.members[Role.ADMINISTRATOR]
    save(space, administrator, "Été", is_for_all=True)
    save(space, administrator, "Own")
    save(space, space.manager, "Own")
    for name in ("ETE", "own"):
        with pytest.raises(ViewNameTaken):
            save(space, administrator, name)
    with pytest.raises(IntegrityError), space.database.transaction() as session:
        session.execute(text("UPDATE saved_view SET folded_name = 'own' WHERE name = 'Été'"))
        session.execute(text("UPDATE saved_view SET is_for_all = (1 = 1)"))


@pytest.mark.parametrize(("name", "sentence"), [("", "Give the view a name"), ("x" * 41, "40"), ("a\x07", "cannot be")])
def test_a_name_that_cannot_be_is_refused(space: Space, name: str, sentence: str) -> None:
    """With what to change."""
    with pytest.raises(BadInput, match=sentence):
        save(space, space.manager, name)
    assert names(space, space.manager) == []


def test_a_view_of_nothing_is_refused_and_what_the_list_does_not_know_is_left_out(space: Space) -> None:
    """Also where only the unknown was asked for."""
    for asked in ({"page": "3"}, {"payer": "nobody"}, {"colour": "red"}, {"plan": ""}):
        with pytest.raises(EmptyView):
            save(space, space.manager, "Empty", **asked)
    assert save(space, space.manager, "Known", plan="plus", page="3", payer="nobody").asked == {"plan": "plus"}


def test_the_same_form_sent_twice_saves_one(space: Space) -> None:
    """And answers with it."""
    first = save(space, space.manager, "Once", attempt="one form")
    assert save(space, space.manager, "Once", attempt="one form") == first
    assert names(space, space.manager) == ["Once"]


def test_there_are_no_more_than_a_menu_can_show(space: Space) -> None:
    """Everybody's are counted apart."""
    administrator = space.members[Role.ADMINISTRATOR]
    for number in range(MOST_VIEWS):
        save(space, administrator, f"View {number}")
    with pytest.raises(TooManyViews, match=str(MOST_VIEWS)):
        save(space, administrator, "One more")
    save(space, administrator, "One more", is_for_all=True)
    save(space, space.manager, "My own")
