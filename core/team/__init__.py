"""The people who work at a partner: inviting a member, what they may do, deactivating them and bringing them back; the
table of them, and what was changed by whom. There is always an active administrator."""

from core.team.changing import bring_back, can_look_after, change_member, deactivate, release_sign_in
from core.team.inviting import invite_member, send_again
from core.team.new_member import NewMember
from core.team.reading import ListedMember, MemberDetail, PastChange, detail, history, listed
