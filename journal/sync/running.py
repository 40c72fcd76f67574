"""One synchronisation of one account from its beginning to its end: newest first, then back, then
what is new since it began; at the end its books are built and its balances compared."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.models import ExchangeAccount
from accounts.vault.keyfiles import KeyProblem
from journal.books import beginnings, comparing, entries, rebuilding, rules
from journal.models import Book, Market, Sync
from journal.sync import again, balances, conditional, older, spot, usdm, wallets
from journal.sync.doorkeeping import Busy, wait_for_turn
from journal.sync.files import NotAFile
from journal.sync.holding import Holding, new_holder, take
from journal.sync.run import Run, Stopped
from lib.envelope import NotOurs
from market.binance.errors import ExchangeError
from market.models import Listing
from market.services import listings

log = structlog.get_logger(__name__)

State = Sync.State
# A balance that moved while we were reading: read what is new, and look again.
MOST_LOOKS = 3
# Beside that, everything is read again after each break of a user stream (`journal.stream`).
WHOLE_AGAIN_AFTER = timedelta(days=1)


def synchronise(account_id: str, is_to_stop: Callable[[], bool] = lambda: False) -> bool:
    """Returns False when there is nothing to do: no such account, paused, no key, or another
    worker is at it."""
    account = (
        ExchangeAccount.objects.here()
        .filter(pk=account_id, state=ExchangeAccount.State.LIVE)
        .exclude(api_key=b"")
        .first()
    )
    if account is None:
        return False
    Sync.objects.get_or_create(account=account)
    holder = new_holder()
    if not take(account, holder):
        return False
    _set(
        account,
        holder,
        state=State.RUNNING,
        started_at=timezone.now(),
        done=0,
        expected=0,
        is_due=False,
    )
    try:
        with Holding(account, holder) as holding:
            _run(Run(account, holder, lambda: is_to_stop() or holding.is_lost, holding.hear))
    except (Stopped, Busy):  # a file is taken in, say: the next round goes on
        _set(account, holder, state=State.WAITING, note="")
    except (ExchangeError, NotAFile, KeyProblem, NotOurs) as error:
        log.warning("sync failed", account=str(account.pk), error=str(error)[:200])
        _set(
            account,
            holder,
            state=State.FAILED,
            note="%(reason)s",
            note_values={"reason": str(error)[:300]},
        )
    except Exception:
        _set(account, holder, state=State.FAILED, note=_("An error of ours; it is in the log."))
        raise
    else:
        _set(account, holder, state=State.COMPLETE, note="", finished_at=timezone.now())
    finally:
        Sync.objects.filter(account=account, holder=holder).update(holder="", until=None)
    return True


def _run(run: Run) -> None:
    wait_for_turn(run.account, patience=0)
    with run.reader:
        has_futures = bool(run.account.permissions.get("enableFutures"))
        for market in [Market.SPOT, *([Market.USDM] if has_futures else [])]:
            listings.refresh_if_stale(market)
            rules.remember(run.account.venue, market)
            run.listings[market] = {
                row.symbol: row
                for row in Listing.objects.filter(venue=run.account.venue, market=market)
            }
        if _is_recent(run):
            balances.read_others(run)
            _finish(run, spot.recent_symbols(run), has_futures)
            return
        balances.read_others(run)
        balances.read_spot(run)
        symbols = spot.propose_symbols(run)
        spot.read_newest(run, symbols)
        if has_futures:
            _read_futures(run)
            run.meanwhile = older.Ahead(run)
            run.meanwhile()
        _build(run)  # first numbers, long before the last page
        wallets.read_cheap(run)
        symbols = spot.propose_symbols(run)  # transfers have named more
        spot.read_newest(run, symbols)
        spot.read_back(run, symbols)
        wallets.read_dear(run)
        known = set(symbols)
        symbols = spot.propose_symbols(run)  # and converts
        spot.read_newest(run, symbols)
        spot.read_back(run, set(symbols) - known)
        run.meanwhile = None
        if has_futures:
            older.read_older(run)
            wallets.derive_older(run)
        spot.read_orders(run, symbols)
        _finish(run, list(symbols), has_futures)
        Sync.objects.filter(account=run.account).update(whole_at=timezone.now())


def _is_recent(run: Run) -> bool:
    """Everything was read within the day: only what is likely to have changed is asked for."""
    last = Sync.objects.values_list("whole_at", flat=True).get(account=run.account)
    return last is not None and last > run.now - WHOLE_AGAIN_AFTER


def _read_futures(run: Run) -> None:
    usdm.read_balances(run)
    usdm.read_income(run)
    symbols = usdm.find_symbols(run)
    usdm.read_fills(run, symbols)
    usdm.read_orders(run, symbols)
    conditional.read(run, symbols)


def _finish(run: Run, symbols: list[str], has_futures: bool) -> None:
    """What happened since we began, and the comparison; again while the balances move."""
    for look in range(MOST_LOOKS):
        run.now = timezone.now()
        balances.read_spot(run)
        if has_futures:
            usdm.read_balances(run)
        fresh = spot.read_forward(run, symbols)
        wallets.read_cheap(run)
        wallets.read_dear(run)
        if has_futures:
            usdm.read_income(run)
            usdm.read_fills(run, usdm.find_symbols(run))
            conditional.read_waiting(run)
        _build(run)
        run.say(_("Comparing balances"))
        compared = comparing.compare(run.account)
        if look == MOST_LOOKS - 1 or not fresh or not any(row.difference for row in compared):
            break
    if again.read_again(run):
        _build(run)
        comparing.compare(run.account)


def _build(run: Run) -> None:
    def told(done: int, count: int) -> None:
        run.say(_("Computing trades: book %(done)s of %(count)s"), done=done, count=count)
        run.beat(run.note)

    read_at = Sync.objects.values_list("positions_at", flat=True).get(account=run.account)
    if read_at is not None:
        beginnings.keep_positions(run.account, read_at)
    due = Book.objects.filter(account=run.account, built__lt=F("version")).count()
    run.say(_("Asking for prices of %(count)s books"), count=due)
    rebuilding.rebuild_due(run.account, run.reader.read_public, told)
    entries.compare_account(run.account)


def _set(account: ExchangeAccount, holder: str, **fields: object) -> None:
    """Only while we hold it."""
    Sync.objects.filter(account=account, holder=holder).update(**fields)
