"""An alert's condition as its list tells it."""

from django.utils import translation

from alerts.models import Alert
from alerts.templatetags.alert_texts import condition_text

CROSSES = {"market": "usdm", "symbol": "BTCUSDT", "level": "60000", "direction": "both"}
DELTA = {"market": "spot", "symbol": "BTCUSDT", "unit": "order", "band": ">=1M", "above": "5"}


def test_a_condition_is_told_in_words_and_not_in_codes() -> None:
    crosses = Alert(kind="price_crosses", condition=CROSSES)
    assert condition_text(crosses) == (
        "Price crosses a level: BTCUSDT USD-M futures, Price 60000, Direction Both"
    )
    delta = condition_text(Alert(kind="cvd_delta", condition=DELTA))
    assert "Unit By order" in delta
    assert "≥1M" in delta
    open_result = Alert(kind="pnl_open", condition={"unit": "percent", "below": "-5"})
    assert "Unit %" in condition_text(open_result)


def test_a_condition_is_told_in_the_readers_language() -> None:
    with translation.override("ko"):
        told = condition_text(Alert(kind="price_crosses", condition=CROSSES))
    assert "both" not in told
    assert "USD-M 선물" in told
