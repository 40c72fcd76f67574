"""When an alert fires, worked out by hand over bars that are written down here."""

from collections.abc import Iterable, Sequence
from typing import Any

from alerts.conditions.kinds import parse
from alerts.conditions.states import State
from alerts.conditions.watches import MarketWatch, Rule, longest_window
from lib.decimals import QUOTE_UNIT, UNIT
from market.flow.bands import BANDS, USD
from market.flow.bars import Bar

SPOT = {"market": "spot", "symbol": "BTCUSDT"}


def bar(time: int, *prices: float, buy: int = 0, sell: int = 0, spread: float = 0) -> Bar:
    """A second of trades at these prices, in this order, with what takers bought and sold."""
    made = Bar(time)
    scaled = [round(price * UNIT) for price in prices]
    made.open, made.close = scaled[0], scaled[-1]
    made.high, made.low = max(scaled), min(scaled)
    made.trades = len(scaled)
    made.quote_buy, made.quote_sell = buy * QUOTE_UNIT, sell * QUOTE_UNIT
    made.trade[2], made.trade[BANDS + 2] = made.quote_buy, made.quote_sell
    made.order[5], made.order[BANDS + 5] = made.quote_buy, made.quote_sell
    if spread:
        made.bid, made.ask = scaled[-1], scaled[-1] + round(spread * UNIT)
    return made


def rule(cooldown_s: int = 0, **condition: Any) -> Rule:
    return Rule(1, parse({**SPOT, **condition}), cooldown_s * 1000)


def fired(
    watched: Rule, bars: Iterable[Bar], until: int = 0, state: State | None = None
) -> list[tuple[int, int]]:
    """(second, value) of each time that it is told."""
    watch = MarketWatch(USD, 0)
    watch.add(watched, state or State())
    by_time = {item.time: item for item in bars}
    told = []
    for second in range(until or max(by_time) + 1):
        for change in watch.feed(by_time.get(second), second + 1):
            if change.step.is_fired:
                told.append((change.step.at_ms // 1000, change.step.value))
    return told


def seconds(*prices: Sequence[float] | float) -> list[Bar]:
    return [
        bar(at, *(item if isinstance(item, Sequence) else [item])) for at, item in enumerate(prices)
    ]


def crossing(direction: str = "both", cooldown_s: int = 0, **more: Any) -> Rule:
    """At 100, armed again 1 away from it."""
    return rule(
        cooldown_s,
        kind="price_crosses",
        level="100",
        direction=direction,
        hysteresis_pct=more.pop("hysteresis_pct", "1"),
    )


# --- levels -------------------------------------------------------------------------------------


def test_a_price_that_reaches_the_level_has_crossed_it() -> None:
    assert fired(crossing(), seconds(98, 99, 100, 99.5)) == [(2, 100 * UNIT)]


def test_the_first_price_is_no_crossing() -> None:
    assert fired(crossing(), seconds(103, 104)) == []
    assert fired(crossing(), seconds(97, 96)) == []


def test_a_spike_inside_a_second_counts() -> None:
    assert fired(crossing(), seconds(98, [98, 101, 98])) == [(1, 101 * UNIT)]


def test_a_jump_over_the_level_between_two_seconds_counts() -> None:
    assert fired(crossing(), seconds(98, 103)) == [(1, 103 * UNIT)]


def test_trembling_at_the_level_is_told_once() -> None:
    assert len(fired(crossing(), seconds(98, 100, 99.9, 100.1, 99.8, 100.3))) == 1


def test_it_is_armed_again_a_margin_away() -> None:
    told = fired(crossing(), seconds(98, 100.2, 101.1, 99.9, 98.9, 100))
    assert [at for at, _ in told] == [1, 3, 5]


def test_only_the_direction_that_was_asked_for_is_told() -> None:
    prices = seconds(98, 102, 98, 102)
    assert [at for at, _ in fired(crossing("up"), prices)] == [1, 3]
    assert [at for at, _ in fired(crossing("down"), prices)] == [2]


def test_a_crossing_within_the_cooldown_is_not_told_later() -> None:
    prices = [*seconds(98, 102, 98, 102), bar(20, 98), bar(21, 103)]
    assert [at for at, _ in fired(crossing(cooldown_s=10), prices)] == [1, 20]


def test_after_the_cooldown_it_is_armed_again_without_the_margin() -> None:
    prices = [*seconds(98, 100.1), bar(20, 99.9), bar(21, 99.8), bar(40, 100.1)]
    assert [at for at, _ in fired(crossing("up", 10), prices)] == [1, 40]


def test_what_came_before_the_alert_does_not_count() -> None:
    assert fired(crossing(), seconds(98, 102, 102, 99), state=State(seen_ms=2000)) == [
        (3, 99 * UNIT)
    ]


def test_a_second_that_is_not_over_shows_its_crossing_at_once_and_only_once() -> None:
    watch = MarketWatch(USD, 0)
    watch.add(crossing(), State())
    watch.feed(bar(0, 98), 1)
    assert len(watch.peek(bar(1, 99, 100.5))) == 1
    assert watch.peek(bar(1, 99, 100.5)) == []
    assert [c for c in watch.feed(bar(1, 99, 100.5, 99), 2) if c.step.is_fired] == []


def test_many_levels_are_looked_at_only_where_the_price_is() -> None:
    watch = MarketWatch(USD, 0)
    for number, level in enumerate(range(50, 150), start=1):
        made = parse({**SPOT, "kind": "price_crosses", "level": level, "hysteresis_pct": 0})
        watch.add(Rule(number, made, 0), State())
    watch.feed(bar(0, 99.5), 1)
    assert watch.feed(bar(1, 99.6, 99.4), 2) == []
    told = [c.alert_id for c in watch.feed(bar(2, 99.5, 102.5), 3) if c.step.is_fired]
    assert told == [51, 52, 53]


# --- thresholds ---------------------------------------------------------------------------------


def delta(**more: Any) -> Rule:
    condition = {"kind": "cvd_delta", "window_s": 3, "above": "100", **more}
    return rule(condition.pop("cooldown_s", 0), **condition)


def flow(*deltas: int) -> list[Bar]:
    return [bar(at, 100, buy=max(0, value), sell=max(0, -value)) for at, value in enumerate(deltas)]


def test_a_windows_delta_is_known_only_once_the_window_is_full() -> None:
    # 150 of the first second are more than 100, but the window before them is not known
    assert fired(delta(), flow(150, 0, 0, 0)) == [(3, 150 * QUOTE_UNIT)]


def test_the_sum_of_the_window_decides() -> None:
    assert fired(delta(), flow(0, 0, 0, 50, 49, 0, 51)) == [(7, 100 * QUOTE_UNIT)]


def test_it_is_told_once_while_it_holds_and_again_after_it_went_back() -> None:
    told = fired(delta(hysteresis_pct="10"), flow(0, 0, 0, 100, 5, 0, -5, 105, 0, 0, 0))
    # 4: 100; 7: 0; 8: 100
    assert [at for at, _ in told] == [4, 8]


def test_going_back_less_than_the_margin_does_not_arm() -> None:
    told = fired(delta(hysteresis_pct="10"), flow(0, 0, 0, 100, -5, 5, 100, 0))
    # 4: 100, 5: 95, 6: 100, 7: 100 - 5 + 5 - 100 + 100
    assert [at for at, _ in told] == [4]


def test_a_quiet_market_moves_the_window_too() -> None:
    below = delta(above=None, below="-10", hysteresis_pct="0")
    bars = [*flow(0, 0, 0, -20, 30), bar(20, 100)]
    # 4: -20 holds; 5: 10; 7: 30 alone, no longer -20
    assert [at for at, _ in fired(below, bars)] == [4]
    above = delta(above="25", hysteresis_pct="0")
    # second 6's end: the -20 of second 3 has left the window, 30 is left
    assert [at for at, _ in fired(above, bars)] == [7]


def test_a_band_and_a_unit_are_asked_of_their_own() -> None:
    bars = flow(0, 0, 0, 150)
    assert len(fired(delta(unit="order", band=">=1M"), bars)) == 1
    assert len(fired(delta(unit="trade", band="1k-10k"), bars)) == 1
    assert fired(delta(unit="trade", band=">=1M"), bars) == []


def test_a_hole_makes_windows_unknown_until_they_are_full_again() -> None:
    watch = MarketWatch(USD, 0)
    watch.add(delta(), State())
    for item in flow(0, 0, 0, 60):
        assert watch.feed(item, item.time + 1) == []
    watch.skip(10)
    told = []
    for at in range(10, 15):
        told += [c for c in watch.feed(bar(at, 100, buy=60), at + 1) if c.step.is_fired]
    assert [change.step.at_ms for change in told] == [13_000]


def test_a_price_keeps_its_side_over_a_hole() -> None:
    watch = MarketWatch(USD, 0)
    watch.add(crossing(), State())
    watch.feed(bar(0, 98), 1)
    watch.skip(50)
    assert [c.step.is_fired for c in watch.feed(bar(50, 103), 51)] == [True]


def test_a_move_counts_either_way_by_percent_of_where_it_was() -> None:
    moves = rule(kind="price_moves", window_s=2, percent="1")
    assert fired(moves, seconds(100, 100.4, 100.8, 101.0, 101.9)) == [(5, 1_091_270)]
    assert fired(moves, seconds(100, 98.9)) == []  # where it was two seconds ago is not known
    assert fired(moves, seconds(100, 100, 98.9)) == [(3, 1_100_000)]


def test_a_divergence_is_a_price_against_the_takers() -> None:
    apart = rule(kind="divergence", window_s=2, percent="1")
    up = [bar(0, 100), bar(1, 100), bar(2, 102, sell=5), bar(3, 102, sell=5)]
    assert [at for at, _ in fired(apart, up)] == [3]
    with_them = [bar(0, 100), bar(1, 100), bar(2, 102, buy=5), bar(3, 102, buy=5)]
    assert fired(apart, with_them) == []


def test_a_spread_is_the_last_one_seen() -> None:
    wide = rule(kind="spread", above="2")
    bars = [bar(0, 100, spread=1), bar(1, 100, spread=2.5), bar(2, 100)]
    assert fired(wide, bars) == [(2, round(2.5 * UNIT))]
    wider = rule(kind="spread", above="1", window_s=60)
    assert fired(wider, [bar(0, 100, spread=1), bar(70, 100, spread=2.5)]) == [
        (71, round(1.5 * UNIT))
    ]


def test_a_setups_share_is_of_all_that_takers_did_on_its_side() -> None:
    condition = parse({**SPOT, "kind": "setup", "setup": 1})
    own = {"direction": "SHORT", "window": "10s", "least_share": "0.5"}
    watched = Rule(1, condition, 0, limit=500_000, setup=own)
    bars = [bar(at, 100, buy=10, sell=10) for at in range(10)]
    bars += [bar(10, 100, sell=300), bar(11, 100, sell=100)]
    # (90 + 300 - 90) / (90 + 90 + 300) is 0.625
    assert fired(watched, bars) == [(11, 625_000)]


def test_the_longest_window_says_how_far_back_to_read() -> None:
    assert longest_window([]) == 0
    assert longest_window([delta(), crossing()]) == 3


# --- the same whatever happens ------------------------------------------------------------------


def test_a_watch_that_begins_again_anywhere_tells_nothing_twice() -> None:
    bars = {item.time: item for item in seconds(98, 102, 98, 102, 98, 102, 98)}
    for cut in range(1, 7):
        watch, state, told = MarketWatch(USD, 0), State(), []
        watch.add(crossing(), state)
        for second in range(cut):
            for change in watch.feed(bars[second], second + 1):
                state = change.step.state
                told += [second] if change.step.is_fired else []
        # another process: it knows the state that was kept, and begins two seconds too early
        start = max(0, cut - 2)
        again = MarketWatch(USD, start)
        if start:
            again.warm(bars[start - 1], start)
        again.add(crossing(), state)
        for second in range(start, 7):
            told += [second for c in again.feed(bars[second], second + 1) if c.step.is_fired]
        assert told == [1, 2, 3, 4, 5, 6], cut
