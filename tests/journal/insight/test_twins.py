"""One's own trades under other rules, and their stops, from seconds worked by hand."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from journal.filters import TradeFilter
from journal.insight.question import Question
from journal.insight.winners import cut_winners
from journal.models import Trade
from journal.selectors.preferences import preferences_of
from market.models import Instrument
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.journal.insight.tapes import NOON, computed, lay

pytestmark = pytest.mark.django_db


@pytest.fixture
def tape(make_instrument: MakeInstrument) -> Instrument:
    """Every five minutes the same: 100, at the 30th second 104, at the 60th 95 (for a second), at
    the 120th 110, then 100 again; at the 20th second large orders sell 200,000."""

    def shape(number: int) -> dict[str, Any]:
        second = number % 300
        close = {30: 104, 60: 95, 120: 110}.get(second, 100)
        return {"close": close, "sold": {4: 200_000} if second == 20 else {2: 5000}}

    instrument = make_instrument()
    lay(instrument, shape)
    return instrument


def make_trades(user: User, exit_at: int, price: str, count: int = 20) -> None:
    """One bought at 100 every five minutes with a stop at 96, sold so many seconds later."""
    account = make_account(user)
    fills = []
    for number in range(count):
        at = NOON + timedelta(minutes=5 * number)
        fills.append(make_fill(account, 2 * number + 1, "BUY", "100", time=at, fee=D(0)))
        closed = at + timedelta(seconds=exit_at)
        fills.append(make_fill(account, 2 * number + 2, "SELL", price, time=closed, fee=D(0)))
    trades_of(account, *fills)
    Trade.objects.update(placed_stop=D(96))


def rules_of(user: User) -> dict[str, dict[str, Any]]:
    answer = computed(user, "twin").answer
    assert answer is not None
    return {rule["name"]: rule for rule in answer["rules"]}


def test_what_other_rules_would_have_made(alice: User, tape: Instrument) -> None:
    """Sold at 103 in the 40th second: 3 made. A target of 1 R is 104, in the 30th: 4. The targets
    beyond it are not reached before the stop, whose second opens at 95: -5. Trailing by 1 R from
    104 stops at 100: 0. Large orders turn in the 20th second at 100: 0."""
    make_trades(alice, 40, "103")
    rules = rules_of(alice)
    made = {name: rule["other"] for name, rule in rules.items() if rule["count"]}
    assert rules["target_1r"]["made"] == pytest.approx(60)
    assert made["target_1r"] == pytest.approx(80)
    assert made["target_2r"] == made["target_3r"] == pytest.approx(-100)
    assert made["trail_1r"] == pytest.approx(0)
    assert made["flow_turns"] == pytest.approx(0)
    # closed long before
    assert made["time_5m"] == pytest.approx(60)
    assert rules["time_5m"]["changed"] == 0
    assert rules["target_1r"]["whole"]["mean"] == pytest.approx(1)
    assert rules["target_1r"]["curves"][-1] == [20, pytest.approx(60), pytest.approx(80)]


def test_without_a_stop_or_a_path_it_is_not_told(alice: User, tape: Instrument) -> None:
    make_trades(alice, 40, "103", count=3)
    Trade.objects.update(placed_stop=None)
    rules = rules_of(alice)
    assert rules["target_1r"]["untold"] == {"no_stop": 3}
    assert rules["time_5m"]["count"] == 3
    assert rules["with_flow"]["untold"] == {"flow_unknown": 3}
    tape.delete()
    Trade.objects.update(placed_stop=D(96), flow="against")
    assert computed(alice, "twin").answer is not None


def test_fees_go_with_the_price_of_the_exit(alice: User, tape: Instrument) -> None:
    """Fees of 0.1 and 0.1 over 203 traded; at 104 they would have been 0.1 x 204/203 each."""
    account = make_account(alice)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", time=NOON),
        make_fill(account, 2, "SELL", "103", time=NOON + timedelta(seconds=40)),
    )
    Trade.objects.update(placed_stop=D(96))
    rules = rules_of(alice)
    assert rules["target_1r"]["made"] == pytest.approx(2.8)
    assert rules["target_1r"]["other"] == pytest.approx(4 - 0.2 * 204 / 203)


def test_no_trade_against_the_flow_and_half_after_losses(alice: User, tape: Instrument) -> None:
    make_trades(alice, 61, "98", count=4)  # four losses of 2
    Trade.objects.filter(pk__in=Trade.objects.values("pk")[:1]).update(flow="against")
    Trade.objects.filter(flow="unknown").update(flow="with")
    rules = rules_of(alice)
    assert rules["with_flow"]["other"] == pytest.approx(-6)
    assert rules["half_after_two"]["other"] == pytest.approx(-2 - 2 - 1 - 1)
    assert (rules["half_after_two"]["changed"], rules["half_after_two"]["whole"]) == (2, None)


def test_winners_that_were_cut_are_set_beside_their_target(alice: User, tape: Instrument) -> None:
    """Sold at 103 in the 70th second with a target of 109: 110 is reached, the stop is not: 9."""
    make_trades(alice, 70, "103", count=2)
    Trade.objects.update(placed_target=D(109))
    question = Question(alice, TradeFilter(), preferences_of(alice), lambda *_: None)
    pairs = cut_winners(question)
    assert [(round(kept, 6), made) for _id, kept, made in pairs] == [(9.0, 3.0), (9.0, 3.0)]
    Trade.objects.update(placed_target=D(103))
    question = Question(alice, TradeFilter(), preferences_of(alice), lambda *_: None)
    assert cut_winners(question) == []


def test_the_twin_page_draws_both_curves_and_leads_to_trades(
    alice: User, alices_browser: Client, tape: Instrument
) -> None:
    make_trades(alice, 40, "103")
    computed(alice, "twin")
    page = alices_browser.get("/insight/twin/").content.decode()
    assert "by=twin%20changed&amp;group=target_1r" in page
    assert page.count("<polyline") >= 2 * 5
    told = alices_browser.get("/api/insight/twin", {"by": "twin changed", "group": "target_1r"})
    assert len(told.json()["trades"]) == 20


# --- stops --------------------------------------------------------------------------------------


def test_behind_the_stop_and_at_it(alice: User, alices_browser: Client, tape: Instrument) -> None:
    """Stopped at 96 in the 60th second: the price never went on, and was at 100 a second later; at
    the stop takers sold orders of 5,000."""
    make_trades(alice, 60, "96")
    answer = computed(alice, "stops").answer
    assert answer is not None
    assert (answer["trades"], answer["stopped"], answer["sizes_of"]) == (20, 20, 20)
    five = answer["after"][0]
    assert (five["minutes"], five["count"], five["back"]["value"]) == (5, 20, 1.0)
    # the next round's second at 95 lies a unit of 4 beyond
    assert five["beyond_r"] == pytest.approx(0.25)
    sizes = {one["size"]: one["value"] for one in answer["sizes"] if one["value"]}
    assert sizes == {"1k-10k": pytest.approx(100_000)}
    distances = {one["name"]: one for one in answer["distances"]}
    # 98 and 97 are not traded: the second at 95 opens beyond both
    assert distances["0.5"]["other"] == pytest.approx(-100)
    assert distances["1.5"]["made"] == pytest.approx(-80)
    # a stop at 94 is never reached: the hour of the first twelve ends in a second at 95, that of
    # the others where the tape ends, at 100
    assert distances["1.5"]["other"] == pytest.approx(-5 * 12)
    page = alices_browser.get("/insight/stops/").content.decode()
    assert "by=stops&amp;group=stopped" in page
    told = alices_browser.get("/api/insight/stops", {"by": "stops back", "group": "5"})
    assert len(told.json()["trades"]) == 20
