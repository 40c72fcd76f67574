"""The made-up trader's live round trips."""

from simulator.accounts.bank import Bank
from simulator.accounts.trader import Trader
from simulator.amounts import UNIT
from simulator.exchange import Exchange
from simulator.faults import Faults


def test_it_trades_small_round_trips_for_demos_that_somebody_hears_only() -> None:
    now = [1_790_000_000_000_000]
    exchange = Exchange(Faults(), clock=lambda: now[0])
    for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"):
        exchange.list_generated(name, None, seed=7, pace=0.5)
    bank = Bank(exchange)
    quiet = bank.open_account("demo", {"USDT": 9000 * UNIT}, {})
    lively = bank.open_account("demo of 7", {"USDT": 9000 * UNIT}, {})
    unheard = bank.open_account("demo of 8", {"USDT": 9000 * UNIT}, {})
    for account in (quiet, lively):
        bank.listen(account.uid, lambda *_: None)
    trader = Trader(bank)
    for _ in range(1800):  # half an hour by the second
        now[0] += 1_000_000
        exchange.advance()
        bank.tick()
        trader.tick()
    assert not quiet.fills
    assert not unheard.fills
    orders = {fill.order_id for fill in lively.fills}
    assert 10 <= len(orders) <= 40
    assert {fill.side for fill in lively.fills} == {"BUY", "SELL"}
    assert all(fill.quote < 1000 * UNIT for fill in lively.fills)
