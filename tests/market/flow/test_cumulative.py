from market.flow.bars import Bar
from market.flow.cumulative import cumulative


def bar(time: int, delta: int) -> Bar:
    made = Bar(time)
    made.quote_buy = made.trade[0] = made.order[0] = delta
    return made


BARS = [bar(86_340, 5), bar(86_400, 7), bar(86_460, 1)]


def test_the_visible_range_sums_from_its_first_bar() -> None:
    assert [total for total, _ in cumulative(BARS, "trade")] == [5, 12, 13]


def test_the_day_starts_again_at_utc_midnight() -> None:
    assert [total for total, _ in cumulative(BARS, "trade", "day")] == [5, 7, 8]


def test_a_session_starts_again_where_it_is_said() -> None:
    assert [total for total, _ in cumulative(BARS, "trade", session=[86_460])] == [5, 12, 1]
