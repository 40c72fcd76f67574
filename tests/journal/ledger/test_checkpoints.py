"""Going on from a checkpoint gives what computing from the beginning gives, to the last digit."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from journal.ledger import Fill, Funding, Ledger, Match, Rules, Trade, Transfer, Wishes, compute
from journal.ledger.checkpoints import decoded, encoded
from journal.ledger.lots import METHODS
from journal.ledger.records import Past
from journal.ledger.running import Checkpoint
from tests.money.test_6_identity import histories, price

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNT = "mine"


def dollars(asset: str, moment: datetime) -> D | None:
    return price(asset, int((moment - BEGINNING).total_seconds() // 3600))


def dated(event: Any) -> Any:
    """Of that hour, in which funding is settled, and of an account."""
    return replace(event, time=BEGINNING + timedelta(hours=event.time), account=ACCOUNT)


def run(events: list[Any], coins: set[str], method: str, **more: Any) -> Ledger:
    marks = frozenset(
        (e.symbol, str(e.id)) for e in events if isinstance(e, Fill) and int(e.id) % 5 == 0
    )
    return compute(
        [e for e in events if isinstance(e, Fill)],
        method=method,
        funding=[e for e in events if isinstance(e, Funding)],
        transfers=[e for e in events if isinstance(e, Transfer)],
        conversions=[e for e in events if not isinstance(e, Fill | Funding | Transfer)],
        prices=dollars,
        own_prices={},
        rules={"BTCUSDT": Rules(D("0.001"), D(5))},
        wishes=Wishes(set_aside=marks),
        coins=coins,
        **more,
    )


def in_order(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=repr)


def after(events: list[Any], checkpoint: Checkpoint) -> list[Any]:
    return [event for event in events if event.time > checkpoint.time]


def whole(parts: list[list[Trade]]) -> dict[str, Trade]:
    """Trades by key: what a later run says of one counts, its matches are added."""
    trades: dict[str, Trade] = {}
    matches: dict[str, tuple[Match, ...]] = {}
    for part in parts:
        told = {trade.key for trade in part}
        # an open one that is told no more was set aside before anything of it was sold
        trades = {key: t for key, t in trades.items() if t.closed_at or key in told}
        for trade in part:
            known = matches.get(trade.key, ())[: trade.past.matches]
            matches[trade.key] = known + trade.matches
            fills = trades[trade.key].fills[: trade.past.fills] if trade.key in trades else ()
            every = fills + tuple(fill for fill in trade.fills if fill not in fills)
            trades[trade.key] = replace(
                trade,
                matches=matches[trade.key],
                fills=every,
                fill_ids=tuple(dict.fromkeys(id for _, id in every)),
                past=Past(),
            )
    return trades


def one_at_a_time(events: list[Any], coins: set[str], method: str) -> list[Ledger]:
    """From each checkpoint to the next, an instant after the other."""
    runs: list[Ledger] = []
    state = None
    for moment in sorted({event.time for event in events}):
        rows = [event for event in events if event.time == moment]
        runs.append(run(rows, coins, method, begin=state, every=1))
        state = decoded(encoded(runs[-1].checkpoints[-1].state))
        assert state is not None
    return runs


@given(histories(), st.sampled_from(METHODS), st.sampled_from(["BTC", "ETH", "BNB", "contract"]))
@settings(max_examples=150, deadline=None)
def test_rows_that_come_one_by_one_give_what_all_of_them_give(
    told: list[Any], method: str, name: str
) -> None:
    events = [dated(event) for event in told]
    coins = set() if name == "contract" else {name}
    if name == "contract":
        events = [e for e in events if isinstance(e, Funding) or getattr(e, "market", "") == "usdm"]
        events = [e for e in events if not isinstance(e, Funding) or e.time > BEGINNING]
    if not events:
        return
    full = run(events, coins, method)
    runs = one_at_a_time(events, coins, method)
    assert whole([ledger.all_trades for ledger in runs]) == {t.key: t for t in full.all_trades}
    assert in_order(m for ledger in runs for m in ledger.matches) == in_order(full.matches)
    assert in_order(p for ledger in runs for p in ledger.payments) == in_order(full.payments)
    assert runs[-1].positions == full.positions
    assert runs[-1].currencies == full.currencies
    known = sorted((p.kind, str(p.fill_id), p.message) for r in runs for p in r.problems)
    assert known == sorted((p.kind, str(p.fill_id), p.message) for p in full.problems)


@given(histories(), st.sampled_from(METHODS))
@settings(max_examples=60, deadline=None)
def test_every_checkpoint_of_a_run_is_one_to_go_on_from(told: list[Any], method: str) -> None:
    events = [dated(event) for event in told]
    full = run(events, {"BTC"}, method, every=1)
    for checkpoint in full.checkpoints:
        state = decoded(encoded(checkpoint.state))
        rest = run(after(events, checkpoint), {"BTC"}, method, begin=state, every=1)
        kept = {t.key: t for t in rest.all_trades}
        for trade in full.all_trades:
            if trade.key in kept:
                assert kept[trade.key].net == trade.net
                assert kept[trade.key].quantity == trade.quantity
                assert kept[trade.key].pairs == trade.pairs
            else:
                assert trade.closed_at is not None and trade.closed_at <= checkpoint.time
        assert rest.positions == full.positions


def test_a_checkpoint_of_another_version_is_none() -> None:
    fills = [Fill(1, BEGINNING, "BTCUSDT", "BTC", "USDT", "BUY", D(100), D(1), D(0), "USDT")]
    [checkpoint] = compute(fills, coins={"BTC"}, every=1).checkpoints
    text = encoded(checkpoint.state)
    assert decoded(text) is not None
    assert decoded(text.replace(b'"version":1', b'"version":0')) is None
    assert decoded(b"{}") is None
