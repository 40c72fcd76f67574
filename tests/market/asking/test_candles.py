"""Candles as bars: what is believed, what is missing, and that sources agree."""

from dataclasses import replace

import pytest

from lib.decimals import QUOTE_UNIT, UNIT
from market.asking import candles
from market.flow.bars import Bar
from market.flow.detail import Detail
from market.flow.klines import Kline
from market.models import MinuteAudit
from market.past import agreeing, store
from tests.conftest import MakeInstrument

MINUTE = 60
START = 1_750_000_020 // 60 * 60


def row(minute: int, trades: int = 2) -> Kline:
    """3 bought and 1 sold at 100."""
    return Kline(
        minute,
        -1,
        -1,
        trades,
        100 * UNIT,
        100 * UNIT,
        100 * UNIT,
        100 * UNIT,
        4 * UNIT,
        3 * UNIT,
        400 * UNIT,
        300 * UNIT,
    )


def test_a_hole_and_what_makes_no_sense_are_not_told() -> None:
    rows = [row(START), row(START + 120), replace(row(START + 180), low=101 * UNIT)]
    answer = candles.read(rows, MINUTE, (START, START + 300))
    assert [bar.time for bar in answer.bars] == [START, START + 120]
    assert answer.stretches == [(START, START + 60), (START + 120, START + 180)]
    assert answer.absent == [(START + 60, START + 120), (START + 180, START + 300)]
    bar = answer.bars[0]
    assert (bar.detail, bar.quote_buy, bar.quote_sell) == (
        Detail.TOTAL,
        300 * QUOTE_UNIT,
        100 * QUOTE_UNIT,
    )
    assert (bar.base_buy, bar.base_sell, bar.delta) == (3 * UNIT, UNIT, 200 * QUOTE_UNIT)


def test_a_request_weighs_by_market_and_count() -> None:
    assert candles.weight_of("spot", 1000) == candles.weight_of("spot", 10) == 2
    assert [candles.weight_of("usdm", count) for count in (99, 100, 499, 500, 1000)] == [
        1,
        2,
        2,
        5,
        5,
    ]


def counted(minute: int, base_buy: int = 3) -> Bar:
    bar = Bar(minute)
    bar.detail = Detail.ORDER
    bar.open = bar.high = bar.low = bar.close = 100 * UNIT
    bar.trades, bar.first_id, bar.last_id = 2, 1, 2
    bar.base_buy, bar.base_sell = base_buy * UNIT, UNIT
    bar.quote_buy, bar.quote_sell = 100 * base_buy * QUOTE_UNIT, 100 * QUOTE_UNIT
    bar.order[1], bar.order[7] = bar.quote_buy, bar.quote_sell
    return bar


def test_sources_agree_by_the_rule_of_the_minute_audit() -> None:
    klines = {START: row(START), START + 60: row(START + 60)}
    bars = {START: counted(START), START + 60: counted(START + 60, base_buy=2)}
    found = agreeing.differing(bars, klines, is_aggregated=False)
    assert set(found) == {START + 60}
    assert {"base", "base_buy", "quote", "quote_buy"} <= set(found[START + 60])


def test_an_aggregate_over_a_minutes_end_makes_two_agree_together() -> None:
    klines = {at: row(at) for at in (START, START + 60)}
    bars = {START: counted(START, base_buy=4), START + 60: counted(START + 60, base_buy=2)}
    assert agreeing.differing(bars, klines, is_aggregated=True) == {}
    assert set(agreeing.differing(bars, klines, is_aggregated=False)) == {START, START + 60}


@pytest.mark.django_db
def test_candles_that_differ_from_what_is_known_better_are_a_finding(
    make_instrument: MakeInstrument,
) -> None:
    instrument = make_instrument()
    better = [counted(START), counted(START + 60, base_buy=2)]
    store.keep(instrument.pk, "usd-1", MINUTE, Detail.ORDER, better, [(START, START + 120)])
    rows = [row(START), row(START + 60), row(START + 120)]
    candles.keep(instrument, MINUTE, candles.read(rows, MINUTE, (START, START + 180)))
    [finding] = MinuteAudit.objects.all()
    assert (finding.state, int(finding.minute.timestamp())) == ("differs", START + 60)
    kept = store.load(instrument.pk, MINUTE, START, START + 180)
    assert [bar.detail.word for bar in kept.values()] == ["order", "order", "total"]
    assert kept[START + 60].base_buy == 2 * UNIT
