"""The execution coach, rules and what is held together, through the door."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from journal.insight import breaks
from journal.insight.breaks import Break
from journal.models import Annotation, Setup, Trade
from market.models import Instrument
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.journal.insight.tapes import NOON, computed, lay

pytestmark = pytest.mark.django_db


@pytest.fixture
def tape(make_instrument: MakeInstrument) -> Instrument:
    """100 with best prices of 99 and 101; in the 10th second of each minute it falls to 98."""

    def shape(number: int) -> dict[str, Any]:
        return {"close": 100, "low": 98 if number % 60 == 10 else 100}

    instrument = make_instrument()
    lay(instrument, shape, after=1300)
    return instrument


def make_trades(user: User, *, is_maker: bool) -> None:
    account = make_account(user)
    price, fee = "99" if is_maker else "101", D("0.101")
    fills = []
    for number in range(20):
        at = NOON + timedelta(minutes=number)
        out = at + timedelta(seconds=40)
        entry = make_fill(
            account, 2 * number + 1, "BUY", price, time=at, is_maker=is_maker, fee=fee
        )
        fills += [entry, make_fill(account, 2 * number + 2, "SELL", "101", time=out, fee=fee)]
    trades_of(account, *fills)


def test_market_entries_had_they_been_limits(
    alice: User, alices_browser: Client, tape: Instrument
) -> None:
    """Bought at the ask of 101; a limit at 99 would have been gone through at 98. No fee of a maker
    is known: the same is taken."""
    make_trades(alice, is_maker=False)
    answer = computed(alice, "execution").answer
    assert answer is not None
    rows = {(row["way"], row["by"], row["name"]): row for row in answer["rows"]}
    whole = rows["market", "all", ""]
    assert (whole["count"], whole["filled"]) == (20, 1.0)
    assert whole["saved"] == pytest.approx(2 / 101 * 10_000)
    assert rows["market", "symbol", "BTCUSDT"]["count"] == 20
    assert rows["market", "hours", "12-16"]["count"] == 20
    page = alices_browser.get("/insight/execution/").content.decode()
    assert "+198.0" in page


def test_limit_entries_had_they_been_market_orders(alice: User, tape: Instrument) -> None:
    """Bought at 99, where the ask was 101; a taker pays 0.1 % and a maker 0.101 / 99."""
    make_trades(alice, is_maker=True)
    answer = computed(alice, "execution").answer
    assert answer is not None
    [whole] = [row for row in answer["rows"] if row["by"] == "all"]
    assert whole["way"] == "limit"
    assert whole["saved"] == pytest.approx((-2 / 99 + 0.101 / 99 - 0.001) * 10_000)


def test_rules_that_were_ticked_and_rules_that_were_broken(
    alice: User, alices_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account(alice)
    fills = []
    for number in range(44):
        price = "110" if number % 2 else "90"
        fills.append(make_fill(account, 10 * number + 1, "BUY", "100", fee=D(0)))
        fills.append(make_fill(account, 10 * number + 5, "SELL", price, fee=D(0)))
    trades_of(account, *fills)
    setup = Setup.objects.create(user=alice, name="Break", rules=["wait for the close"])
    trades = list(Trade.objects.order_by("opened_at"))
    for number, trade in enumerate(trades):
        Annotation.objects.create(
            user=alice,
            trade_key=trade.key,
            setup=setup,
            # nobody has said of the first ones
            rules_kept=None if number < 4 else [0] if number % 2 else [],
            reviewed_at=trade.closed_at,
        )
    broken = [Break("tilt", trade.pk, trade.opened_at) for trade in trades[::4]]
    monkeypatch.setattr(breaks, "_sources", [(lambda _user: broken, lambda rule: rule.upper())])
    answer = computed(alice, "rules").answer
    assert answer is not None
    ticked = {one["rule"]: one for one in answer["setups"]}["wait for the close"]
    assert (ticked["kept"], ticked["broken"], ticked["difference"]) == (20, 20, 20.0)
    [tilt] = answer["oneself"]
    # 11 of 44: too few for a difference
    assert (tilt["kept"], tilt["broken"], tilt["cost"], tilt["difference"]) == (33, 11, -110, None)
    page = alices_browser.get("/insight/rules/").content.decode()
    assert "TILT" in page
    told = alices_browser.get("/api/insight/rules", {"by": "rule broken", "group": "tilt"}).json()
    assert told["trades"] == [trade.pk for trade in trades[::4]]


def test_one_position_alone_moves_with_nothing(alice: User, alices_browser: Client) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100"))
    answer = computed(alice, "together").answer
    assert answer is not None
    assert [one["symbol"] for one in answer["held"]] == ["BTCUSDT"]
    assert (answer["pairs"], answer["effective"]) == ([], None)
    assert "Two open positions" in alices_browser.get("/insight/together/").content.decode()


def test_any_two_measures_and_the_trades_of_a_part(alice: User, alices_browser: Client) -> None:
    account = make_account(alice)
    fills = []
    for number in range(6):
        price = str(100 + number)
        fills.append(make_fill(account, 100 * number + 1, "BUY", "100", fee=D(0)))
        fills.append(make_fill(account, 100 * number + 2 + number, "SELL", price, fee=D(0)))
    trades_of(account, *fills)
    page = alices_browser.get("/insight/scatter/?x=hour&y=net").content.decode()
    assert page.count("picture-point") == 6
    part = alices_browser.get(
        "/insight/scatter/?x=hour&y=net&bottom=2.5&top=4.5", headers={"X-Part": "lines"}
    ).content.decode()
    assert "<html" not in part
    assert "n = 2" in part
    shown = Trade.objects.filter(net__in=[3, 4])
    assert all(f"/trades/{trade.pk}/" in part for trade in shown)
    assert alices_browser.get("/insight/scatter/?x=moon&left=x").status_code == 200
