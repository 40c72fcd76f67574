"""Order flow on fills and trades, from bars in Redis and PostgreSQL, worked by hand."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from journal.metrics.excursion import slippage
from journal.metrics.flow import Second, share, verdict, windows
from journal.models import Balance, DailyBalance, Fill, FillFlow, Trade
from journal.models.guests import FIRST, LABEL
from journal.services import demo, snapshots
from journal.stamps import fills, stamping
from journal.stamps import trades as trade_stamps
from lib.dates import to_ms
from market.archive import coverage, partitions, seconds
from market.archive.coverage import Stretch
from market.flow.bars import Bar
from market.hot.codec import State
from market.models import Instrument
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
UNIT, QUOTE = 10**8, 10**16


def test_windows_end_before_the_fills_own_second() -> None:
    path = [
        Second(90, 100 * QUOTE, 0, [100 * QUOTE]),
        Second(99, 0, 40 * QUOTE, [-40 * QUOTE]),
        Second(100, 5000 * QUOTE, 0, [5000 * QUOTE]),
    ]
    found = windows(path, 100, ["<100"])
    assert (found["10s"].buy, found["10s"].sell, found["10s"].delta) == (D(100), D(40), D(60))
    assert found["10s"].bands == {"<100": D(60)}
    # the CVD stands at 100 for nine seconds, then at 60
    assert found["10s"].slope.quantize(D("0.001")) == D("-2.182")
    part = share(found["1m"], is_buy=True)
    assert part is not None
    assert part.quantize(D("1e-8")) == D("0.42857143")
    assert share(found["1m"], is_buy=False) == -part


def test_half_an_answer_is_none() -> None:
    assert verdict([(D(1), D("0.5")), (D(1), None)]) == ("unknown", None)
    assert verdict([(D(1), D("0.5")), (D(3), D("0.1"))]) == ("with", D("0.2"))
    assert verdict([(D(1), D("-0.05"))])[0] == "mixed"
    assert verdict([(D(1), D("-0.3"))])[0] == "against"


def bar(at: datetime, number: int, *, low: int, high: int, buy: int, sell: int) -> Bar:
    made = Bar(int(at.timestamp()))
    made.open = made.close = low * UNIT
    made.low, made.high = low * UNIT, high * UNIT
    made.trades, made.first_id, made.last_id = 1, number, number
    made.quote_buy, made.quote_sell = buy * QUOTE, sell * QUOTE
    made.trade[1], made.trade[7] = buy * QUOTE, sell * QUOTE
    made.order[1], made.order[7] = buy * QUOTE, sell * QUOTE
    made.bid, made.ask = (low - 1) * UNIT, (low + 1) * UNIT
    return made


@pytest.fixture
def tape(make_instrument: MakeInstrument) -> Instrument:
    """Two hours around noon: 100, with 300 bought and 100 sold each second; at 12:00:30 a second
    that reaches from 90 to 130."""
    instrument = make_instrument()
    partitions.prepare(NOON, NOON + timedelta(days=1))
    start = NOON - timedelta(hours=1)
    bars = []
    for number in range(7200):
        at = start + timedelta(seconds=number)
        wide = at == NOON + timedelta(seconds=30)
        bars.append(
            bar(
                at,
                number + 1,
                low=90 if wide else 100,
                high=130 if wide else 100,
                buy=300,
                sell=100,
            )
        )
    seconds.save(instrument.pk, instrument.band_set, bars, _state(bars, start))
    coverage.add(instrument.pk, [Stretch(1, 7200, to_ms(start), to_ms(NOON) + 3_600_000)])
    return instrument


def _state(bars: list[Bar], start: datetime) -> State:
    return State(
        last_id=bars[-1].last_id,
        revision=0,
        newest=bars[-1].time,
        covered_from=to_ms(start),
        covered_to=to_ms(NOON) + 3_600_000,
        ticks=1_000_000,
        sweep=None,
    )


def test_a_trade_gets_its_flow_its_extremes_and_its_slippage(alice: User, tape: Instrument) -> None:
    account = make_account(alice)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "102", time=NOON + timedelta(seconds=10)),
        make_fill(account, 2, "SELL", "101", time=NOON + timedelta(seconds=60)),
    )
    stamping.stamp_due()
    entry = FillFlow.objects.get(fill__trade_id=1)
    assert (entry.basis, entry.window) == ("trades", "1m")
    assert entry.is_final
    assert entry.windows["1m"]["buy"] == "18000"
    assert entry.windows["1m"]["delta"] == "12000"
    assert entry.windows["10s"]["bands"]["100-1k"] == "2000"
    assert entry.share == D("0.5")
    assert (entry.bid, entry.ask) == (D(99), D(101))
    assert entry.slippage == 2  # 102 paid over a mid of 100
    trade = Trade.objects.get()
    assert (trade.flow, trade.flow_share) == ("with", D("0.5"))
    assert (trade.worst, trade.best) == (-12, 28)
    assert trade.slippage == 1  # 2 paid, 1 gained
    assert trade.efficiency == D("-0.035714")  # -1 of 28
    assert trade.after_5m == 0


def test_windows_that_are_not_known_are_null_and_say_so(alice: User, tape: Instrument) -> None:
    account = make_account(alice)
    early = NOON - timedelta(minutes=50)  # ten minutes of the fifteen before it are covered
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", time=early),
        make_fill(account, 2, "SELL", "101", time=early + timedelta(minutes=1)),
    )
    stamping.stamp_due()
    entry = FillFlow.objects.get(fill__trade_id=1)
    assert (entry.basis, entry.stage, entry.window) == ("candles_1m", "total", "5m")
    assert entry.windows["5m"]["delta"] == "60000"
    assert entry.windows["15m"] is None
    assert entry.why == {"10s": "minutes_only", "1m": "minutes_only", "15m": "not_known"}
    trade = Trade.objects.get()
    assert (trade.flow, trade.flow_window, trade.flow_basis) == ("with", "5m", "candles_1m")


def test_nothing_is_said_of_a_fill_before_everything(alice: User, tape: Instrument) -> None:
    account = make_account(alice)
    early = NOON - timedelta(hours=5)
    trades_of(account, make_fill(account, 1, "BUY", "100", time=early))
    stamping.stamp_due()
    entry = FillFlow.objects.get()
    assert (entry.basis, entry.windows, entry.stage) == ("", {}, "total")
    assert Trade.objects.get().flow == "unknown"
    assert stamping.stamp_due() == 0


def test_a_hole_in_between_takes_the_extremes_away(alice: User, tape: Instrument) -> None:
    account = make_account(alice)
    tape.gaps.create(
        first_id=3700,
        last_id=3701,
        from_ms=to_ms(NOON) + 40_000,
        to_ms=to_ms(NOON) + 41_000,
        cause="cut",
        state="open",
    )
    trades_of(
        account,
        make_fill(account, 1, "BUY", "102", time=NOON + timedelta(seconds=10)),
        make_fill(account, 2, "SELL", "101", time=NOON + timedelta(seconds=60)),
    )
    stamping.stamp_due()
    trade = Trade.objects.get()
    assert trade.worst is None
    assert trade.best is None


def test_one_fill_that_cannot_be_stamped_holds_nobody_elses_up(
    alice: User, bob: User, tape: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    ill, sound = make_account(alice), make_account(bob)
    for account, price in ((ill, "103"), (sound, "102")):
        moment = NOON + timedelta(seconds=10)
        trades_of(account, make_fill(account, 1, "BUY", price, time=moment))

    def planted(price: D, *more: Any) -> D:
        # for one of them what no column holds
        return D("1e30") if price == 103 else slippage(price, *more)

    monkeypatch.setattr(fills, "slippage", planted)
    stamping.stamp_due()
    stamping.stamp_due()
    assert FillFlow.objects.get().fill.account == sound
    assert Trade.objects.get(account=sound).slippage == 2
    [name] = stamping._parked._parked
    stamping._parked.clear(name)


def two_trades(alice: User, bob: User) -> tuple[Trade, Trade]:
    """Of two accounts, on one tape and near in time: they are written together."""
    for user in (alice, bob):
        account = make_account(user)
        bought = make_fill(account, 1, "BUY", "102", time=NOON + timedelta(seconds=10))
        sold = make_fill(account, 2, "SELL", "101", time=NOON + timedelta(seconds=60))
        trades_of(account, bought, sold)
    return Trade.objects.get(account__user=alice), Trade.objects.get(account__user=bob)


def test_one_trade_that_cannot_be_written_holds_nobody_elses_up(
    alice: User, bob: User, tape: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    ill, sound = two_trades(alice, bob)
    real = trade_stamps.stamp

    def planted(around: Any, trade: Trade) -> None:
        real(around, trade)
        if trade.pk == ill.pk:
            trade.worst = D("1e40")  # what no column holds

    monkeypatch.setattr(trade_stamps, "stamp", planted)
    stamping.stamp_due()
    sound.refresh_from_db()
    ill.refresh_from_db()
    assert (sound.worst, ill.worst) == (-12, None)
    stamping.stamp_due()
    ill.refresh_from_db()
    assert ill.stamp_due_at is not None
    assert ill.stamp_due_at > timezone.now(), "it waits, and is looked at again"
    [name] = stamping._parked._parked
    stamping._parked.clear(name)


def test_a_trade_that_is_built_anew_meanwhile_stays_due(
    alice: User, bob: User, tape: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, other = two_trades(alice, bob)
    real, later = trade_stamps.stamp, timezone.now() + timedelta(seconds=5)

    def meanwhile(around: Any, trade: Trade) -> None:
        real(around, trade)
        Trade.objects.filter(pk=changed.pk).mark(stamp_due_at=later)

    monkeypatch.setattr(trade_stamps, "stamp", meanwhile)
    stamping.stamp_due()
    changed.refresh_from_db()
    other.refresh_from_db()
    assert (changed.stamp_due_at, changed.worst) == (later, None)
    assert other.worst == -12


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_trade_that_is_just_being_built(
    alice: User, bob: User, tape: Instrument
) -> None:
    held, other = two_trades(alice, bob)
    stamping._hear_news()
    stamped: list[int] = []
    with transaction.atomic():
        Trade.objects.select_for_update().get(pk=held.pk)
        thread = threading.Thread(target=lambda: stamped.append(_stamp_elsewhere()))
        thread.start()
        thread.join(20)
    assert stamped, "it waited"
    other.refresh_from_db()
    held.refresh_from_db()
    assert (other.worst, held.worst) == (-12, None)
    assert set(FillFlow.objects.values_list("fill__account", flat=True)) == {other.account_id}
    stamping.stamp_due()
    held.refresh_from_db()
    assert held.worst == -12


def _stamp_elsewhere() -> int:
    try:
        return stamping.stamp_due()
    finally:
        connection.close()


def test_a_worth_that_no_column_holds_stops_nobody_elses_snapshot(alice: User, bob: User) -> None:
    # both sides fit into their column, their sum does not
    for user, amount in ((alice, "9" * 22), (bob, "2.5")):
        Balance.objects.create(
            account=make_account(user),
            wallet="spot",
            asset="USDT",
            free=D(amount),
            locked=D(amount),
            updated_at=NOON,
        )
    assert snapshots.take() == 1
    assert DailyBalance.objects.get(account__user=bob).value_usd == 5


def test_copies_that_nobody_has_yet_wait_for_everybody_else(alice: User, tape: Instrument) -> None:
    original = make_account(demo.owner_of_original(), LABEL)
    own = make_account(alice)
    for account in (original, own):
        trades_of(account, make_fill(account, 1, "BUY", "100"), make_fill(account, 2, "SELL", "99"))
    while stamping.stamp_due():
        pass
    flows = FillFlow.objects.filter
    assert flows(fill__account=own).count() == 2
    assert not flows(fill__account=original).exists()
    assert stamping.stamp_due(asleep=True) > 0
    assert flows(fill__account=original).count() == 2


def test_a_copy_takes_over_what_is_known_of_the_demos_own_fills(
    tape: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_account(User.objects.create_user(FIRST, "demo@example.org"), LABEL)
    copy = make_account(demo.owner_of_original(), LABEL)
    for account in (first, copy):
        trades_of(account, make_fill(account, 1, "BUY", "100"), make_fill(account, 2, "SELL", "99"))
    while stamping.stamp_due():
        pass
    bought, sold = FillFlow.objects.filter(fill__account=first).order_by("fill__trade_id")
    FillFlow.objects.filter(pk=bought.pk).update(stage="done", share=D("0.123"), window="10s")
    FillFlow.objects.filter(pk=sold.pk).update(stage="bands")
    looked_up: list[int] = []

    def noted(around: Any, fill: Fill, **more: Any) -> FillFlow:
        looked_up.append(fill.trade_id or 0)
        return FillFlow(fill=fill, stamped_at=timezone.now())

    monkeypatch.setattr(stamping, "_flow_of", noted)
    stamping.stamp_due(asleep=True)
    assert looked_up == [2], "what is still to come is not taken over"
    taken = FillFlow.objects.get(fill__account=copy, fill__trade_id=1)
    bought.refresh_from_db()
    assert taken.fill.trade_id == 1
    assert taken.fill.flow_due_at is None
    assert (taken.stage, taken.share, taken.window) == ("done", D("0.123"), "10s")
    assert (taken.windows, taken.bid, taken.why) == (bought.windows, bought.bid, bought.why)


def test_a_copys_trade_takes_over_what_the_demos_own_is_stamped_with(
    tape: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_account(User.objects.create_user(FIRST, "demo@example.org"), LABEL)
    copy = make_account(demo.owner_of_original(), LABEL)
    for account in (first, copy):
        prices = (("BUY", "100"), ("SELL", "99"), ("BUY", "100"), ("SELL", "99"), ("BUY", "100"))
        fills = [make_fill(account, n, side, price) for n, (side, price) in enumerate(prices, 1)]
        trades_of(account, *fills)
    while stamping.stamp_due():  # with the news of the tape
        pass
    settled, coming, _open = Trade.objects.filter(account=first).order_by("opened_at")
    known = {"flow": "with", "flow_share": D("0.5"), "worst": D(-3), "best": D(2), "slippage": D(1)}
    Trade.objects.filter(pk=settled.pk).update(stamp_due_at=None, **known)
    Trade.objects.filter(pk=coming.pk).update(stamp_due_at=timezone.now(), **known)
    Trade.objects.filter(account=copy).update(stamp_due_at=timezone.now())
    Fill.objects.update(flow_due_at=None)
    worked_out: list[datetime] = []
    monkeypatch.setattr(
        trade_stamps, "stamp", lambda around, trade: worked_out.append(trade.opened_at)
    )
    stamping.stamp_due(asleep=True)
    # another one is still to be stamped better, and one is open
    assert worked_out == [coming.opened_at, _open.opened_at]
    taken = Trade.objects.get(account=copy, opened_at=settled.opened_at)
    assert {name: getattr(taken, name) for name in known} == known
    assert taken.stamp_due_at is None
