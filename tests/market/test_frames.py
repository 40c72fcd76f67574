"""Frames and REST rows, as they come and as they should not."""

import msgspec
import pytest

from market.binance.conversions import as_trade
from market.binance.frames import decode_trade
from market.binance.rest_rows import decode_trade_rows
from market.binance.stream import MarketStream

FRAME = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":2,"s":"BTCUSDT","t":7,'
    b'"p":"61837.63000000","q":"0.02000000","T":1,"m":true,"M":true}}'
)


def test_a_trade_frame_becomes_exact_integers() -> None:
    trade = as_trade(decode_trade(FRAME).data)
    assert (trade.id, trade.price, trade.quantity) == (7, 6183763000000, 2000000)
    assert (trade.time, trade.is_buyer_maker, trade.is_flow) == (1, True, True)


def test_a_row_without_value_is_no_flow() -> None:
    [row] = decode_trade_rows(
        b'[{"id":1,"price":"0","qty":"0","quoteQty":"0","time":1,"isBuyerMaker":false}]'
    )
    assert not as_trade(row).is_flow


@pytest.mark.parametrize("text", ["", "1.2.3", "abc", "1.123456789"])
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    frame = FRAME.replace(b"61837.63000000", text.encode())
    with pytest.raises(ValueError):
        as_trade(decode_trade(frame).data)


def test_frames_go_to_their_sink_however_they_are_spelled() -> None:
    taken: list[bytes] = []
    stream = MarketStream("ws://nowhere/stream?streams=", lambda names: None)
    stream.subscribe({b"btcusdt@trade": taken.append})
    spaced = msgspec.json.format(FRAME)
    for frame in (FRAME, spaced, b'{"result":null,"id":1}', b"{", b'{"stream":"x","data":{}}'):
        stream.feed(frame)
    assert taken == [FRAME, spaced]
    assert stream.malformed == 1
