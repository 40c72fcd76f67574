"""An evaluator over a tape in Redis: each crossing once, whatever happens to evaluators."""

import pytest

from accounts.models import User
from alerts.evaluation.evaluator import Evaluator
from alerts.evaluation.told import page_of
from alerts.models import Alert, AlertEvent, WatchedUntil
from alerts.selectors.markets import wanted_markets
from alerts.services import changing
from journal.services import watching
from market.models import Instrument
from tests.alerts.conftest import MakeAlert
from tests.alerts.tape import START, Tape, second
from tests.lines import Killed, each_line, kill

pytestmark = pytest.mark.django_db


class Hours:
    """A clock that a test moves on, so that every round looks and saves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 100.0
        return self.now


def evaluator() -> Evaluator:
    return Evaluator("spot", clock=Hours())


def told(alert: Alert | None = None) -> list[tuple[int, str]]:
    """(second after START, value), oldest first."""
    events = AlertEvent.objects.order_by("at", "created_at")
    if alert is not None:
        events = events.filter(alert=alert)
    return [(int(event.at.timestamp()) - START, event.value) for event in events]


def test_a_crossing_is_told_with_its_words(make_alert: MakeAlert, tape: Tape) -> None:
    alert = make_alert()
    tape.show([second(1, 98), second(2, 99, 101)], covered=3)
    evaluator().round()
    (event,) = AlertEvent.objects.all()
    assert told() == [(2, "101")]
    assert event.text == "BTCUSDT (spot) crossed 100 at 101."
    assert (event.crossing, event.user_id, event.kind) == ("1", alert.user_id, "price_crosses")
    alert.refresh_from_db()
    assert (alert.firings, alert.standing.is_armed) == (1, False)


def test_rounds_go_on_where_the_last_one_stopped(make_alert: MakeAlert, tape: Tape) -> None:
    make_alert()
    watch = evaluator()
    tape.show([second(1, 98)], covered=2)
    watch.round()
    tape.show([second(2, 102), second(3, 98)], covered=4)
    watch.round()
    watch.round()
    assert told() == [(2, "102"), (3, "98")]


def test_a_second_that_runs_tells_at_once(make_alert: MakeAlert, tape: Tape) -> None:
    make_alert()
    watch = evaluator()
    tape.show([second(1, 98), second(2, 99, 101)], covered=2)
    watch.round()
    assert told() == [(2, "101")]
    tape.show([second(2, 99, 101, 100.5)], covered=3)
    watch.round()
    assert told() == [(2, "101")]


def test_what_happened_before_the_alert_is_not_told(make_alert: MakeAlert, tape: Tape) -> None:
    tape.show([second(-2, 98), second(-1, 102), second(1, 103)], covered=2)
    make_alert()
    evaluator().round()
    assert told() == []


def test_another_evaluator_goes_on_and_tells_what_was_missed(
    make_alert: MakeAlert, tape: Tape
) -> None:
    make_alert()
    first = evaluator()
    tape.show([second(1, 98)], covered=2)
    first.round()
    tape.show([second(30, 102), second(40, 98)], covered=50)
    evaluator().round()
    assert told() == [(30, "102"), (40, "98")]


def test_two_evaluators_at_once_tell_nothing_twice(make_alert: MakeAlert, tape: Tape) -> None:
    make_alert()
    ones, others = evaluator(), evaluator()
    bars = [second(at, 98 if at % 2 else 102) for at in range(1, 12)]
    for at, bar in enumerate(bars, start=1):
        tape.show([bar], covered=at + 1)
        (ones if at % 3 else others).round()
        (others if at % 2 else ones).round()
    assert [at for at, _ in told()] == list(range(2, 12))


def test_a_late_trade_in_a_second_that_was_seen_tells_nothing_again(
    make_alert: MakeAlert, tape: Tape
) -> None:
    make_alert()
    watch = evaluator()
    tape.show([second(1, 98), second(2, 102)], covered=3)
    watch.round()
    tape.show([second(1, 98, 100.2, 98), second(2, 102, 105)], covered=3)
    watch.round()
    evaluator().round()
    assert told() == [(2, "102")]


def test_nothing_is_told_of_time_that_may_be_filled_yet(make_alert: MakeAlert, tape: Tape) -> None:
    make_alert()
    watch = evaluator()
    tape.show([second(1, 98)], covered=2)
    watch.round()
    tape.open_gap(3, 6)
    tape.show([second(7, 98)], covered=8)
    watch.round()
    tape.fill_gap()
    tape.show([second(4, 102), second(5, 98)], covered=9)
    watch.round()
    assert [at for at, _ in told()] == [4, 5]


def test_a_gap_that_stays_open_is_passed_over(make_alert: MakeAlert, tape: Tape) -> None:
    make_alert()
    watch = evaluator()
    tape.show([second(1, 98)], covered=2)
    watch.round()
    tape.open_gap(3, 6)
    tape.show([second(40, 103)], covered=41)
    watch.round()
    watch.round()
    assert told() == [(40, "103")]


def test_an_alert_for_once_rests_afterwards(make_alert: MakeAlert, tape: Tape) -> None:
    alert = make_alert(once=True)
    watch = evaluator()
    tape.show([second(1, 98), second(2, 102), second(3, 98)], covered=4)
    watch.round()
    watch.round()
    alert.refresh_from_db()
    assert (alert.is_paused, told()) == (True, [(2, "102")])


def test_a_paused_alert_and_one_of_somebody_who_is_gone_tell_nothing(
    make_alert: MakeAlert, tape: Tape, bob: User
) -> None:
    make_alert(paused=True)
    make_alert(user=bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    tape.show([second(1, 98), second(2, 102)], covered=3)
    evaluator().round()
    assert told() == []


def test_a_change_is_noticed_and_its_past_is_not_told(make_alert: MakeAlert, tape: Tape) -> None:
    alert = make_alert()
    watch = evaluator()
    tape.show([second(1, 98)], covered=2)
    watch.round()
    condition = {**alert.condition, "level": "110"}
    changing.change(alert=alert, body={"condition": condition})
    tape.show([second(3, 102)], covered=4)
    watch.round()
    assert told() == []


def test_windows_are_known_after_a_restart(make_alert: MakeAlert, tape: Tape) -> None:
    condition = {
        "kind": "cvd_delta",
        "market": "spot",
        "symbol": "BTCUSDT",
        "window_s": 60,
        "above": "100",
    }
    make_alert(condition=condition)
    tape.show([second(1, 100, buy=60), second(20, 100)], covered=21)
    evaluator().round()
    assert told() == []
    tape.show([second(30, 100, buy=50)], covered=31)
    evaluator().round()
    assert told() == [(31, "110")]


def test_a_big_order_is_told_by_its_own_name(make_alert: MakeAlert, tape: Tape) -> None:
    condition = {
        "kind": "taker_order",
        "market": "spot",
        "symbol": "BTCUSDT",
        "value": "50000",
        "side": "BUY",
    }
    make_alert(condition=condition)
    watch = evaluator()
    tape.order(-1, "BUY", "90000")
    tape.order(1, "BUY", "49999")
    tape.order(2, "SELL", "90000")
    tape.order(3, "BUY", "50000")
    tape.show([second(3, 100)], covered=4)
    watch.round()
    watch.round()
    evaluator().round()
    assert told() == [(3, "50000")]
    assert AlertEvent.objects.get().text == ("A taker order of 50,000 in BTCUSDT (spot): BUY.")


def test_one_ill_market_holds_no_other_up(
    make_alert: MakeAlert, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_alert()
    watch = evaluator()
    tape.show([second(1, 98)], covered=2)
    watch.round()
    market = next(iter(watch._markets.values()))
    monkeypatch.setattr(market, "take", lambda *of: 1 / 0)
    watch.round()
    tape.show([second(2, 102)], covered=3)
    watch._parked.clear("spot:BTCUSDT")
    watch.round()
    assert told() == [(2, "102")]


def test_a_market_that_an_alert_looks_at_is_followed(
    make_alert: MakeAlert, instrument: Instrument
) -> None:
    alert = make_alert()
    Instrument.objects.update(is_followed=False)
    assert list(wanted_markets()) == [("spot", "BTCUSDT")]
    watching.follow_wanted()
    assert Instrument.objects.get(pk=instrument.pk).is_followed
    changing.change(alert=alert, body={"paused": True})
    assert list(wanted_markets()) == []


# --- killed at every line -----------------------------------------------------------------------

BARS = [second(1, 98), second(2, 102), second(3, 98.5)]


@pytest.mark.slow
@pytest.mark.parametrize("part", ["alerts/evaluation", "alerts/services/firing.py"])
@pytest.mark.django_db(transaction=True)
def test_killed_at_any_line_it_loses_and_doubles_nothing(
    make_alert: MakeAlert, tape: Tape, part: str
) -> None:
    alert, other = make_alert(), make_alert(name="another")

    def watch() -> None:
        one = evaluator()
        for at, bar in enumerate(BARS, start=1):
            tape.show([bar], covered=at + 1)
            one.round()

    for _line in each_line(part, kill, watch, slowness=4):
        watch()
        for its in (alert, other):
            assert [at for at, _ in told(its)] == [2, 3]
            assert sorted(its.events.values_list("crossing", flat=True)) == ["1", "2"]
        AlertEvent.objects.all().delete()
        WatchedUntil.objects.all().delete()
        Alert.objects.update(state={}, firings=0, last_fired_at=None)
        tape.client.flushdb()


def test_the_campaign_can_fail() -> None:
    with pytest.raises(Killed):
        kill()


def test_an_event_leads_to_its_markets_page(instrument: Instrument) -> None:
    assert page_of(instrument.key) == instrument.get_absolute_url()
    future = Instrument(venue="simulator", market="usdm", symbol="BTCUSDT_261225")
    assert page_of(future.key) == future.get_absolute_url()
