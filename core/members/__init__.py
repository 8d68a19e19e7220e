"""Partner spaces and the members who work in them: who may do what, who signed in, and how a change begins. A change
takes the partner's turn, asks the member's permission again and counts up the partner's change number; a form that is
sent twice is known again. Whatever changes of a member is kept, and so is what people did that leaves no trace in the
data."""

from core.members.access import (
    MATRIX,
    Permission,
    act,
    by_email,
    can_be_responsible,
    choose_language,
    find,
    is_demo,
    may,
    of_partner,
    reads_all_clients,
    require,
    require_still,
    take_every_turn,
    take_turn,
)
from core.members.activity import (
    FROM_SHELL,
    PastActivity,
    activities,
    activity_about,
    count_activities,
    note_activity,
    note_in_every_space,
)
from core.members.changes import STORED_BOOLEANS, add, change, newest_change
from core.members.check import differences
from core.members.forms import Form, form_sent
from core.members.sign_in import (
    Identity,
    account_of,
    bind,
    end_sign_ins,
    members_of,
    record,
    record_visit,
    release_sign_in,
    sign_ins,
    visit_is_recent,
    was_released,
)
from core.members.spaces import CannotBeSetUp, Space, add_partner, spaces
from core.members.tables import Activity, DemoSpace, FormSent, Member, MemberChange, MemberSignIn, Partner, SignInEvent
