"""`bulk`: many clients in one act, with the same code and the same report as the pages."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from core import bulk, catalogue, defaults, members
from core.bulk import Act, BulkPreview, Chosen, Found, Group, PastBatch, Ticked
from core.catalogue import Catalogue, Price
from core.commands import Commands
from core.commands.importing import counter, who_acts
from core.defaults import EffectiveSettings, Sets
from core.members import Member
from core.reports import FILTERS
from core.storage import Database
from core.words import BillingError, Setting, day, speak

_ABOUT = (
    "What is previewed is done, or nothing is: with --dry-run it is only previewed. The exit status is 0 when it is "
    "done, or could be; 1 when the whole is refused."
)


class _Unusable(BillingError):
    """What was typed names nothing."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self.said = said

    def __str__(self) -> str:
        return self.said


def add_to(commands: Commands) -> None:
    """Add this command to the parser's."""
    acts = commands.add_parser("bulk", help="change many clients in one act, or undo one").add_subparsers(
        required=True, metavar="adopt | override | archive | responsible | cancel | undo"
    )

    def add(name: str, said: str, act_of: Callable[[Session, Member, Namespace], Act]) -> ArgumentParser:
        act = acts.add_parser(name, help=said, description=f"{said.capitalize()}. {_ABOUT}")
        act.set_defaults(run=_change, act_of=act_of)
        _whom_to(act)
        _for_all(act)
        return act

    adopt = add("adopt", "bind clients to the newest defaults", _adopt)
    adopt.add_argument("--set", metavar="NAME", help="the default set (else each adopts its own)")
    adopt.add_argument("--clear", action="store_true", help="clear their overrides too")
    override = add("override", "set or clear overrides", _override)
    override.add_argument(
        "--set", type=_pair, action="append", default=[], metavar="SETTING=VALUE",
        help=f"{', '.join(Setting)}; add-ons are separated by commas",
    )  # fmt: skip
    override.add_argument(
        "--clear", type=Setting, action="append", default=[], metavar="SETTING", choices=list(Setting)
    )
    archive = add("archive", "end subscriptions at the end of what is paid", lambda *asked: _archive(asked[2]))
    archive.add_argument("--at-once", action="store_true", help="end them now; nothing is paid back")
    responsible = add("responsible", "change the account manager", _responsible)
    responsible.add_argument("--to", required=True, metavar="E-MAIL", help="who looks after them from now on")
    add("cancel", "cancel pending changes and ends", lambda *_: bulk.CancelPending())
    undo = acts.add_parser("undo", help="undo a bulk change", description=f"Undo a bulk change. {_ABOUT}")
    undo.add_argument("batch", type=int, metavar="NUMBER", help="the number of the bulk change")
    undo.set_defaults(run=_undo)
    _for_all(undo)


def _whom_to(act: ArgumentParser) -> None:
    chosen = act.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "--filter", type=_pair, action="append", metavar="KEY=VALUE",
        help=f"the clients that all of these find: {', '.join(FILTERS)}",
    )  # fmt: skip
    chosen.add_argument(
        "--client", type=int, action="append", metavar="NUMBER", help="this client, and the others named"
    )
    chosen.add_argument("--all", action="store_true", help="every client")


def _for_all(act: ArgumentParser) -> None:
    act.add_argument(
        "--as", dest="member", required=True, metavar="MEMBER", help="who does it: an e-mail, or partner_id:e-mail"
    )
    act.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")
    act.add_argument("--dry-run", action="store_true", help="say what would be done, no more")
    act.add_argument("--left-out", type=Path, metavar="FILE", help="write here, as CSV, who is left out and why")


def _pair(typed: str) -> tuple[str, str]:
    key, is_pair, value = typed.partition("=")
    if not is_pair:
        raise ArgumentTypeError(f"{typed!r} is not of the form KEY=VALUE")
    return key.strip().replace("-", "_"), value.strip()


def _change(database: Database, arguments: Namespace) -> int:
    chosen = _chosen(arguments)

    def preview(session: Session, member: Member) -> BulkPreview:
        return bulk.preview(session, member, arguments.act_of(session, member, arguments), chosen)

    def do(session: Session, member: Member, seen: BulkPreview, **named: Any) -> PastBatch:
        assert seen.act is not None  # noqa: S101 - it is no undo
        return bulk.do(session, member, seen.act, chosen, **named)

    return _previewed_and_done(database, arguments, preview, do)


def _undo(database: Database, arguments: Namespace) -> int:
    def preview(session: Session, member: Member) -> BulkPreview:
        return bulk.undo_preview(session, member, arguments.batch)

    def do(session: Session, member: Member, _seen: BulkPreview, **named: Any) -> PastBatch:
        return bulk.undo(session, member, arguments.batch, **named)

    return _previewed_and_done(database, arguments, preview, do)


def _previewed_and_done(
    database: Database,
    arguments: Namespace,
    preview: Callable[[Session, Member], BulkPreview],
    do: Callable[..., PastBatch],
) -> int:
    with database.reading() as session:
        if (member := who_acts(session, arguments.member)) is None:
            return 1
        speak("en", member.partner.time_zone)
        seen = preview(session, member)
        said = list(_said(seen, catalogue.current(session, member.partner), defaults.sets(session, member)))
    if arguments.left_out is not None:
        arguments.left_out.write_text(bulk.left_out_file(seen.left_out), encoding="utf-8", newline="")
    for line in said:
        print(line)
    if arguments.dry_run:
        print("Nothing was changed.")
        return 0
    with database.transaction() as session:
        made = do(
            session, member, seen, digest=seen.digest, reason=arguments.reason, progress=counter(seen.chosen)
        )  # fmt: skip
    print(f"Bulk change {made.batch}: {made.changed} of {made.chosen} clients changed, {made.left_out} left out.")
    return 0


def _chosen(arguments: Namespace) -> Chosen:
    if arguments.client:
        return Ticked(tuple(arguments.client))
    filters = {}
    for key, value in arguments.filter or []:
        if key not in FILTERS:
            raise _Unusable(f"There is no filter {key}. There are: {', '.join(FILTERS)}.")
        try:
            filters[key] = FILTERS[key](value)
        except ValueError:
            raise _Unusable(f"{value!r} is no value of the filter {key}.") from None
    return Found(filters)


def _adopt(session: Session, member: Member, arguments: Namespace) -> Act:
    number = None
    if arguments.set is not None:
        named = defaults.sets(session, member).called(arguments.set)
        if named is None:
            raise _Unusable(f"There is no default set {arguments.set}.")
        number = named.set_number
    return bulk.Adopt(number, arguments.clear)


def _override(_session: Session, _member: Member, arguments: Namespace) -> Act:
    words: dict[str, Any] = dict(arguments.set)
    if unknown := words.keys() - set(Setting):
        raise _Unusable(f"{', '.join(sorted(unknown))}: no setting. There are: {', '.join(Setting)}.")
    if Setting.ADD_ONS in words:
        words[Setting.ADD_ONS] = [code.strip() for code in words[Setting.ADD_ONS].split(",") if code.strip()]
    if not words and not arguments.clear:
        raise _Unusable("Say which overrides to set or to clear, with --set or --clear.")
    try:
        return bulk.Override(bulk.overrides_of(words), frozenset(arguments.clear))
    except ValueError as wrong:
        raise _Unusable(f"{wrong}.") from None


def _archive(arguments: Namespace) -> Act:
    return bulk.Archive(arguments.at_once)


def _responsible(session: Session, member: Member, arguments: Namespace) -> Act:
    wanted = arguments.to.strip().lower()
    found = [each for each in members.of_partner(session, member.partner_id) if each.email == wanted]
    if not found:
        raise _Unusable(f"{arguments.to} is not the e-mail of a member of this partner space. Correct --to.")
    return bulk.ChangeResponsible(found[0].member_id)


def _said(seen: BulkPreview, offer: Catalogue, sets: Sets) -> Iterator[str]:
    """What is previewed, group by group; and how many are left out, by the reason."""
    yield f"Chosen: {seen.chosen}. To change: {seen.changed}. Left out: {len(seen.left_out)}."
    for group in seen.groups:
        yield f"  {group.clients}: {'; '.join(_of_group(group, offer, sets))}"
    if seen.charge.cents:
        yield f"Charged today for what is added: {seen.charge}."
    if seen.replaces_pending:
        yield f"Pending changes replaced or cancelled: {seen.replaces_pending}."
    for reason, clients in seen.left_out_by_reason.items():
        yield f"  left out, {reason.label}: {clients}"


def _of_group(group: Group, offer: Catalogue, sets: Sets) -> Iterator[str]:
    kind = group.kind
    if kind.before is None:
        yield f"from {kind.responsible_before} to {kind.responsible_after}"
        return
    before = _settings(kind.before, offer, sets)
    if kind.after is None:
        yield f"{before} -> archived"
    elif kind.withdraws_end:
        yield f"{before} goes on, the end is cancelled"
    elif kind.withdrawn is not None:
        yield f"{before} goes on, instead of {_settings(kind.withdrawn, offer, sets)}"
    else:
        yield f"{before} -> {_settings(kind.after, offer, sets)}"
    days = day(group.first) if group.first == group.last else f"{day(group.first)} to {day(group.last)}"
    yield f"at the renewal ({days})" if kind.waits else f"at once ({days})"
    yield f"{_price(kind.price_before)} -> {_price(kind.price_after)}"
    if group.given_up_days:
        yield f"paid days given up: {group.given_up_days}"
    if group.become_payer:
        yield f"told that they pay: {group.become_payer}"


def _settings(effective: EffectiveSettings, offer: Catalogue, sets: Sets) -> str:
    bound = "chosen" if effective.bound is None else sets.said(effective.bound)
    values = ", ".join(offer.value_text(setting.of(effective.settings)) for setting in Setting)
    return f"{values} ({bound})"


def _price(price: Price | None) -> str:
    return "no price" if price is None else f"{price.charged} {price.billing_period.label.lower()}"
