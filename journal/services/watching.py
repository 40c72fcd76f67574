"""Watch-lists, and what is followed because somebody watches or holds it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from journal.models import Market, Trade, WatchedMarket, Watchlist
from market.instruments import InstrumentKey
from market.models import Instrument, Listing
from market.services import following

MOST_LISTS = 20
MOST_MARKETS = 100
# A minute more than the figures after an exit need.
TOLD_AFTER_EXIT = timedelta(minutes=75)
Wanted = tuple[str, str]
# What apps above the journal want followed: (market, symbol), those that matter most first.
FindWanted = Callable[[], Sequence[Wanted]]
_more_wanted: list[FindWanted] = []


def also_follow(find_wanted: FindWanted) -> None:
    """For an app above: asked each time, behind positions and before watch-lists."""
    if find_wanted not in _more_wanted:
        _more_wanted.append(find_wanted)


class BadList(ValueError):
    """What was expected, and in which field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def create(*, user: User, name: Any, markets: Any = ()) -> Watchlist:
    """A list at the end of the user's. Raises BadList, then nothing has changed."""
    User.objects.select_for_update().get(pk=user.pk)  # two at once see each other
    mine = Watchlist.objects.filter(user=user)
    if mine.count() >= MOST_LISTS:
        raise BadList("name", _("Expected at most %(most)s watch-lists.") % {"most": MOST_LISTS})
    last = mine.aggregate(last=Max("position"))["last"] or 0
    watchlist = Watchlist(user=user, name=_name(user, name, None), position=last + 1)
    watchlist.save()
    _put(watchlist, _markets(markets))
    return watchlist


@transaction.atomic
def change(*, watchlist: Watchlist, changes: Mapping[str, Any]) -> Watchlist:
    """`name`, `position` (0 is the first of the user's lists) and `markets`: the whole ordered list
    of `{"market", "symbol"}`. Raises BadList, then nothing has changed."""
    for field in changes:
        if field not in {"name", "position", "markets"}:
            raise BadList(field, _("Expected name, position or markets."))
    User.objects.select_for_update().get(pk=watchlist.user_id)
    if "name" in changes:
        watchlist.name = _name(watchlist.user, changes["name"], watchlist.pk)
        watchlist.save(update_fields=["name"])
    if "position" in changes:
        _move(watchlist, changes["position"])
    if "markets" in changes:
        _put(watchlist, _markets(changes["markets"]))
    return watchlist


@transaction.atomic
def watch(*, user: User, market: str, symbol: str) -> None:
    """Put a market at the end of the user's first list, which is made if there is none. Raises
    BadList, then nothing has changed."""
    User.objects.select_for_update().get(pk=user.pk)  # two at once see each other
    new = {"market": market, "symbol": symbol}
    first = Watchlist.objects.filter(user=user).first()
    if first is None:
        create(user=user, name=_("Watch-list"), markets=[new])
    else:
        known = [*first.markets.values("market", "symbol")]
        change(watchlist=first, changes={"markets": [*known, new]})


def remove(*, watchlist: Watchlist) -> None:
    watchlist.delete()
    follow_wanted()


def follow_wanted() -> list[InstrumentKey]:
    """Let the market follow open positions and watch-lists, positions first, older lists before
    newer ones. Returns what found no room."""
    return following.want(_wanted)


def _wanted() -> list[InstrumentKey]:
    """Open positions and those that closed just now, since what came after an exit is told too;
    then everybody's lists in turn: first all first places, then all second ones."""
    still_told = timezone.now() - TOLD_AFTER_EXIT
    held = (
        Trade.objects.filter(account__venue=settings.VENUE, account__user__is_active=True)
        .filter(Q(closed_at=None) | Q(closed_at__gt=still_told))
        .values_list("market", "symbol")
        .distinct()
    )
    by_user: dict[int, list[Wanted]] = {}
    rows = WatchedMarket.objects.filter(watchlist__user__is_active=True).order_by(
        "watchlist__position", "watchlist_id", "position", "pk"
    )
    for user_id, market, symbol in rows.values_list("watchlist__user_id", "market", "symbol"):
        by_user.setdefault(user_id, []).append((market, symbol))
    in_turn = [pair for place in zip_longest(*by_user.values()) for pair in place if pair]
    above = [pair for find_wanted in _more_wanted for pair in find_wanted()]
    wanted = dict.fromkeys([*held, *above, *in_turn])
    listed = _listed(set(wanted))
    return [InstrumentKey(settings.VENUE, *pair) for pair in wanted if pair in listed]


def _put(watchlist: Watchlist, wanted: Sequence[Wanted]) -> None:
    """Make this the list's markets, in this order."""
    have = {(row.market, row.symbol) for row in watchlist.markets.all()}
    new = [pair for pair in wanted if pair not in have]
    listed = _listed(new)
    unknown = [pair for pair in new if pair not in listed]
    if unknown:
        market, symbol = unknown[0]
        raise BadList(
            "markets",
            _("Expected a symbol that the exchange lists, was %(symbol)s (%(market)s).")
            % {"symbol": symbol, "market": market},
        )
    _check_room(watchlist.user, new)
    watchlist.markets.all().delete()
    WatchedMarket.objects.bulk_create(
        WatchedMarket(watchlist=watchlist, market=market, symbol=symbol, position=at)
        for at, (market, symbol) in enumerate(wanted)
    )
    follow_wanted()


def _check_room(user: User, new: Sequence[Wanted]) -> None:
    """A user's lists take half of all places at most, so that there is something for others."""
    mine = set(WatchedMarket.objects.filter(watchlist__user=user).values_list("market", "symbol"))
    most = max(MOST_MARKETS // 10, settings.FOLLOW_LIMIT // 2)
    if new and len({*mine, *new}) > most:
        raise BadList(
            "markets",
            _("Expected at most %(most)s markets on all of your watch-lists.") % {"most": most},
        )
    followed = set(
        Instrument.objects.filter(venue=settings.VENUE, is_followed=True).values_list(
            "market", "symbol"
        )
    )
    more = [pair for pair in new if pair not in followed]
    if len(more) > following.count_room():
        raise BadList(
            "markets",
            _(
                "This installation follows %(limit)s markets at most, and has room for %(room)s "
                "more: take something off a watch-list first, or ask the operator to raise "
                "FOLLOW_LIMIT."
            )
            % {"limit": settings.FOLLOW_LIMIT, "room": following.count_room()},
        )


def _markets(given: Any) -> list[Wanted]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > MOST_MARKETS:
        raise BadList(
            "markets",
            _("Expected a list of at most %(most)s markets.") % {"most": MOST_MARKETS},
        )
    markets = []
    for item in given:
        if not isinstance(item, Mapping) or item.get("market") not in Market.values:
            raise BadList("markets", _('Expected {"market": "spot" or "usdm", "symbol": …}.'))
        symbol = item.get("symbol")
        if not isinstance(symbol, str) or not 0 < len(symbol) <= 40 or not symbol.isprintable():
            raise BadList("markets", _('Expected {"market": "spot" or "usdm", "symbol": …}.'))
        markets.append((str(item["market"]), symbol.strip().upper()))
    return list(dict.fromkeys(markets))


def _listed(pairs: set[Wanted] | Sequence[Wanted]) -> set[Wanted]:
    """Those that can be followed: what the exchange lists, and what is followed anyway."""
    symbols = {symbol for _market, symbol in pairs}
    known = Listing.objects.filter(venue=settings.VENUE, symbol__in=symbols)
    pinned = Instrument.objects.filter(venue=settings.VENUE, symbol__in=symbols, is_pinned=True)
    return {
        *known.exclude(status="DELISTED").values_list("market", "symbol"),
        *pinned.values_list("market", "symbol"),
    }


def _name(user: User, given: Any, own: int | None) -> str:
    name = given.strip() if isinstance(given, str) else ""
    if not 0 < len(name) <= 40 or not name.isprintable():
        raise BadList("name", _("Expected a name of at most 40 characters."))
    if Watchlist.objects.filter(user=user, name=name).exclude(pk=own).exists():
        raise BadList("name", _("Expected a name that none of your watch-lists has yet."))
    return name


def _move(watchlist: Watchlist, given: Any) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise BadList("position", _("Expected a place from 0 on."))
    others = list(Watchlist.objects.filter(user=watchlist.user).exclude(pk=watchlist.pk))
    others.insert(min(given, len(others)), watchlist)
    for place, row in enumerate(others):
        row.position = place
    Watchlist.objects.bulk_update(others, ["position"])
