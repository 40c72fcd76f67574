"""The cheapest source of a tape's day."""

from datetime import timedelta

from journal.planner.costs import (
    cheapest_first,
    file_offer,
    is_worth_a_look,
    may_have_file,
    rest_offers,
)

DAY = timedelta(days=1)


def test_one_quiet_fill_on_spot_is_a_request_of_four() -> None:
    [first, second] = rest_offers("spot", [700], DAY, 40.0, wants_trades=False)
    assert (first.source, first.weight, first.seconds) == ("aggregates", 4, 0.1)
    # by id: a page, where it begins, what lies behind it
    assert (second.source, second.weight) == ("trades", 75)
    assert not is_worth_a_look([first, second])


def test_many_fills_of_a_busy_day_are_cheaper_as_a_file() -> None:
    offers = rest_offers("spot", [30_000] * 40, DAY, 40.0, wants_trades=False)
    assert offers[0].weight == 40 * 31 * 4
    assert offers[0].seconds == 124.0
    assert is_worth_a_look(offers)
    found = cheapest_first([*offers, file_offer(60_000_000)])
    assert [offer.source for offer in found] == ["file", "aggregates", "trades"]
    assert found[0].seconds == 21.0


def test_futures_forget_after_two_days_and_have_no_single_trades() -> None:
    [only] = rest_offers("usdm", [1_500], timedelta(hours=5), 16.0, wants_trades=False)
    assert (only.source, only.weight) == ("aggregates", 40)
    assert rest_offers("usdm", [1_500], timedelta(hours=47), 16.0, wants_trades=False) == []
    assert is_worth_a_look([])


def test_who_asks_for_single_trades_gets_no_aggregates() -> None:
    offers = rest_offers("spot", [700], DAY, 40.0, wants_trades=True)
    assert [offer.source for offer in offers] == ["trades"]


def test_a_days_file_is_there_some_hours_later() -> None:
    assert not may_have_file(timedelta(hours=3))
    assert may_have_file(timedelta(hours=4))
