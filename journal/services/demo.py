"""Demo data: an account of one's own at the simulator with a year behind it, connected like any
other and removed with one click.

The year is read once, by the user `demo`, or by one that nobody is (`original`); whoever wants it
gets a twin of that account at the simulator and a copy of its journal, which takes a second and
asks the exchange for nothing (`give`)."""

import asyncio
from typing import Any

import aiohttp
import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from accounts.models import ExchangeAccount, User
from accounts.models.exchange import ExchangeAccountQuerySet
from accounts.services import connecting
from accounts.tasks import check_soon, remove_soon
from journal.models import Annotation, Book, Fill, FillFlow, Preferences, Sync, Trade
from journal.models.guests import FIRST, LABEL, ORIGINAL
from journal.models.notes import OfUser
from journal.selectors.preferences import preferences_of
from journal.services.copying import copy_journal
from lib.parking import Parking
from lib.secret import Secret
from market.jobs.guarding import each

log = structlog.get_logger(__name__)

# it may trade there: nothing is at stake, and off is off until it is switched on
PERMISSIONS = {"enableSpotAndMarginTrading": True}
TIMEOUT_SECONDS = 60
TRIES = 3
parked = Parking()
WANTED, ADDED, TOLD, REMOVED = "wanted", "added", "told", "removed"
AWAY = (aiohttp.ClientError, OSError, TimeoutError, KeyError)


def is_possible() -> bool:
    """Demo data lives at the simulator: it never mixes with a real exchange's."""
    return bool(settings.BINANCE == "simulator")


def want(user: User) -> None:
    Preferences.objects.filter(user=preferences_of(user).user).update(demo=WANTED)


@transaction.atomic
def remove(user: User) -> None:
    """The account and all that hangs on it, notes too."""
    for account in ExchangeAccount.objects.visible_to(user).filter(label=LABEL):
        keys = Trade.objects.filter(account=account).values("key")
        Annotation.objects.filter(user=user, trade_key__in=keys).delete()
        connecting.disconnect(account=account, user=user, with_data=True)
        remove_soon(str(account.pk))
    Preferences.objects.filter(user=user).update(demo=REMOVED)


# --- the original -------------------------------------------------------------------------------


def owner_of_original() -> User:
    """Made once; it has no password, so nobody is it."""
    user, is_new = User.objects.get_or_create(
        username=ORIGINAL, defaults={"email": f"{ORIGINAL}@tapelog.invalid"}
    )
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def original() -> ExchangeAccount | None:
    """The account that is copied for others: read whole, computed and reviewed; None while it is
    not."""
    mine = _read_once().filter(user__username=ORIGINAL, user__preferences__demo=TOLD)
    source = mine.first()
    return source if source is not None and _is_settled(source) else None


def prepare() -> list[ExchangeAccount]:
    """The next step towards an original; returns what is to be looked at. It is copied when its
    order flow is known, or as soon as somebody waits for it: then also while the account, which
    trades on, is just being read again or computed, since on a slow machine it always is. Where
    there is the user `demo`, its account is the one that is read, and the original is a copy of
    it: so it has its first trades after seconds, and nothing is read twice. What it writes is not
    copied."""
    owner, first = owner_of_original(), User.objects.filter(username=FIRST).first()
    if first is not None and preferences_of(first).demo == "":
        want(first)
    to_check = []
    if first is not None and preferences_of(first).demo == WANTED:
        to_check += _connect_year(first)
    if preferences_of(owner).demo not in {"", WANTED}:
        return to_check
    if first is None or preferences_of(first).demo == REMOVED:
        return to_check + _connect_year(owner)
    source = _read_once().filter(user=first, label=LABEL).first()
    is_asked_for = Preferences.objects.filter(demo=WANTED).exclude(user__in=readers()).exists()
    if source is not None and (is_asked_for or (_is_settled(source) and has_flow(source))):
        account = _twin(owner, source, with_notes=False, then=ADDED)
        to_check += [account] if account is not None else []
    return to_check


def readers() -> list[User]:
    """Whose account is being read while there is no original."""
    return list(User.objects.filter(username__in=[FIRST, ORIGINAL]))


def has_flow(account: ExchangeAccount) -> bool:
    """Whether every fill has the order flow that candles tell: a copy that is made earlier would
    have to find it once more."""
    waiting = FillFlow.objects.filter(
        fill__account=account, stage=FillFlow.Stage.TOTAL, refused="", again_at=None
    )
    return not (waiting.exists() or Fill.objects.filter(account=account, flow=None).exists())


def _read_once() -> ExchangeAccountQuerySet:
    """Accounts whose whole history has been read, though it may just be read again."""
    return ExchangeAccount.objects.here().filter(
        sync__finished_at__isnull=False, binance_uid__isnull=False
    )


def _is_settled(account: ExchangeAccount) -> bool:
    """No book of it is due."""
    due = Book.objects.filter(account=account, built__lt=F("version"), problem="")
    return not due.exists()


def _connect_year(user: User) -> list[ExchangeAccount]:
    """An account with a new year behind it, to be read like any other."""
    try:
        opened = asyncio.run(_opened_before(user)) or asyncio.run(_open(user, {"year": 1}))
        account = connecting.connect(user=user, label=LABEL, **_key(opened))
    except AWAY as error:
        log.warning("demo not opened", error=type(error).__name__)
        return []
    except connecting.CannotConnect as error:
        log.warning("demo not connected", error=str(error))
        return []
    Preferences.objects.filter(user=user).update(demo=ADDED)
    return [account]


# --- its copies ---------------------------------------------------------------------------------


def give_wanted() -> int:
    """A copy to everybody who asked for one."""
    waiting = Preferences.objects.filter(demo=WANTED).exclude(user__username__in=[FIRST, ORIGINAL])
    users = [chosen.user for chosen in waiting.select_related("user")]
    return sum(each("copy of the demo", users, give, name_of=lambda user: user.pk, parked=parked))


def give(user: User) -> bool:
    """A twin of the original at the simulator, with a key of its own, and a copy of its journal;
    False while there is nothing to copy. Twice given is once."""
    source = original()
    if source is None:
        return False
    account = _twin(user, source, with_notes=not _has_written(user), then=TOLD)
    if account is None:  # somebody else was faster, or it failed
        return preferences_of(user).demo == TOLD
    check_soon(account)
    return True


def _twin(
    user: User, source: ExchangeAccount, *, with_notes: bool, then: str
) -> ExchangeAccount | None:
    """None where it could not be had, and nothing is left of the try. The rows are of a moment
    before the twin: what the source did in between the twin did too, and it is read like news."""
    for _try in range(TRIES):
        uid = None
        try:
            with transaction.atomic():
                _see_one_moment()
                opened = asyncio.run(_open(user, {"like": source.binance_uid}))
                uid = int(opened["uid"])
                account = _copy(user, source, opened, with_notes=with_notes, then=then)
        except DatabaseError as error:  # somebody changed a row that we change too
            log.info("demo copied again", error=type(error).__name__)
        except AWAY as error:
            log.warning("demo not opened", error=type(error).__name__)
            return None
        except connecting.CannotConnect as error:
            log.warning("demo not connected", error=str(error))
            _close(uid)
            return None
        else:
            if account is None:
                _close(uid)
            return account
        _close(uid)
    return None


def close_at_simulator(accounts: list[ExchangeAccount]) -> None:
    """Twins whose owner is gone."""
    for account in accounts:
        _close(account.binance_uid)


def _copy(
    user: User, source: ExchangeAccount, opened: dict[str, Any], *, with_notes: bool, then: str
) -> ExchangeAccount | None:
    chosen = Preferences.objects.select_for_update().get(pk=preferences_of(user).pk)
    if ExchangeAccount.objects.here().filter(user=user, label=LABEL).exists():
        return None
    account = connecting.connect(user=user, label=LABEL, **_key(opened))
    account.binance_uid, account.state = opened["uid"], source.state
    for name in ("permissions", "checks", "snapshot", "checked_at"):
        setattr(account, name, getattr(source, name))
    account.save(force_update=True)
    rows = copy_journal(source, account, with_notes=with_notes)
    # nobody reads the copy, even where the source was being read at that moment
    Sync.objects.filter(account=account).update(
        state=Sync.State.COMPLETE, note="", holder="", until=None, is_due=True
    )
    chosen.demo = then
    chosen.save(update_fields=["demo"])
    log.info("demo copied", account=str(account.pk), rows=rows)
    return account


def _see_one_moment() -> None:
    """From this moment on. Only the outermost transaction can be told so; a test's own is alone
    anyway."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT 1 FROM journal_guest LIMIT 1")


def _has_written(user: User) -> bool:
    """Anything by a name that the demo's own could clash with."""
    models: Any = OfUser.__subclasses__()
    return any(model.objects.filter(user=user).exists() for model in models)


def _key(opened: dict[str, Any]) -> dict[str, Secret]:
    return {"api_key": Secret(opened["apiKey"]), "secret": Secret(opened["secretKey"])}


def _close(uid: int | None) -> None:
    if uid is None:
        return
    try:
        asyncio.run(_ask("delete", f"/{uid}", {}))
    except AWAY as error:
        log.warning("demo not closed", error=type(error).__name__)


async def _opened_before(user: User) -> dict[str, Any] | None:
    """An account that was opened for the user while nobody waited any more: a year takes long on a
    busy machine, and is not made twice."""
    for row in await _ask("get", "", {}):
        if row["name"] == f"demo of {user.pk}" and row["keys"]:
            key = row["keys"][0]
            return {"uid": row["uid"], "apiKey": key["apiKey"], "secretKey": key["secretKey"]}
    return None


async def _open(user: User, past: dict[str, Any]) -> dict[str, Any]:
    body = {"name": f"demo of {user.pk}", "permissions": PERMISSIONS, **past}
    opened: dict[str, Any] = await _ask("post", "", body)
    return opened


async def _ask(method: str, path: str, body: dict[str, Any]) -> Any:
    """Raises one of AWAY."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    address = f"{settings.BINANCE_SPOT_API_URL}/simulator/accounts{path}"
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
        session.request(method, address, json=body) as answer,
    ):
        return await answer.json()
