"""Reports shown by another measure than the mean: the values, the drawings and the heat."""

import re
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import User
from journal.metrics.undefined import Undefined
from journal.models import Trade
from journal.selectors.dimensions import DIMENSIONS, SECTIONS
from journal.selectors.measures import MEASURES
from journal.selectors.reports import Group, nothing
from tests.journal.accounts import make_account, make_fill, trades_of

GROUP = Group(
    name="BTCUSDT",
    count=4,
    net=D(20),
    mean=D(5),
    low=D(-1),
    high=D(11),
    win_rate=D("0.75"),
    win_low=D("0.3"),
    win_high=D("0.95"),
    profit_factor=D(5),
    payoff=D(2),
    mean_r=D("0.4"),
    r_count=2,
    fees=D(3),
    hold=timedelta(hours=1),
    efficiency=D("-0.3"),
)


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("mean", (D(5), D(-1), D(11))),
        ("net", (D(20), D(-4), D(44))),
        ("r", (D("0.4"), None, None)),
        ("win_rate", (D("0.25"), D("-0.2"), D("0.45"))),
        # five to one is drawn as three to one, from one to one
        ("profit_factor", (D(2), None, None)),
        ("efficiency", (D("-0.3"), None, None)),
        # what is paid is to the left
        ("fees", (D(-3), None, None)),
    ],
)
def test_a_measure_is_drawn_from_where_it_is_neither_good_nor_bad(
    name: str, drawn: tuple[D, D | None, D | None]
) -> None:
    spread = MEASURES[name].drawn(GROUP)
    assert spread is not None
    assert (spread.mean, spread.low, spread.high) == drawn


def test_what_has_no_value_is_not_drawn() -> None:
    empty = nothing("2026-01")
    drawn = {name: measure.drawn(empty) for name, measure in MEASURES.items()}
    assert {name for name, spread in drawn.items() if spread is None} == {
        "mean",
        "r",
        "win_rate",
        "profit_factor",
        "efficiency",
    }
    assert MEASURES["profit_factor"].value(empty) == Undefined.NOTHING


def test_every_dimension_is_offered_once() -> None:
    offered = [name for _label, names in SECTIONS for name in names]
    assert sorted(offered) == sorted(DIMENSIONS)


@pytest.fixture
def traded(alice: User) -> None:
    account = make_account(alice)
    fills = []
    for number in range(6):
        fills.append(make_fill(account, 10 * number + 1, "BUY", "100"))
        fills.append(make_fill(account, 10 * number + 5, "SELL", "90" if number == 2 else "110"))
    trades_of(account, *fills)
    # (0.8 - 0.3) / 2; of the others the market is not known
    first, second = Trade.objects.closed().order_by("opened_at")[:2]
    Trade.objects.filter(pk=first.pk).update(efficiency="0.8")
    Trade.objects.filter(pk=second.pk).update(efficiency="-0.3")


@pytest.mark.django_db
@pytest.mark.usefixtures("traded")
@pytest.mark.parametrize(
    ("metric", "cell"),
    [
        ("efficiency", "25%"),
        ("win_rate", "83%"),
        ("profit_factor", "4.8"),
        ("net", "+39"),
        ("", "+6"),
        ("bad", "+6"),
    ],
)
def test_a_matrix_shows_the_measure_and_its_heat(
    alices_browser: Client, metric: str, cell: str
) -> None:
    page = alices_browser.get(f"/reports/?by=symbol&across=market&metric={metric}")
    text = page.content.decode()
    shown = re.search(r'<td class="number heat-up-5">(.*?)</td>', text, re.DOTALL)
    assert shown is not None
    assert cell in re.sub(r"<[^>]+>|\s", "", shown[1])


@pytest.mark.django_db
def test_small_bars_stand_beside_what_tells_groups_apart(
    alice: User, alices_browser: Client
) -> None:
    account = make_account(alice)
    fills = []
    for number, (base, price) in enumerate((("BTC", "110"), ("ETH", "80"), ("SOL", "105"))):
        names = {"symbol": f"{base}USDT", "base": base}
        fills.append(make_fill(account, 10 * number + 1, "BUY", "100", **names))
        fills.append(make_fill(account, 10 * number + 5, "SELL", price, **names))
    trades_of(account, *fills)

    def bars(page: str) -> list[tuple[str, str]]:
        """(up or down, height) of each symbol."""
        symbol = page[page.index('href="?by=symbol') :]
        drawn = symbol[: symbol.index("</a>")]
        return re.findall(r'<rect class="(\w+)"[^>]*height="(\d+)"', drawn)

    page = alices_browser.get("/reports/?by=market").content.decode()
    assert bars(page) == [("up", "4"), ("down", "9"), ("up", "2")]
    # of one group there is nothing to compare
    market = page[page.index('href="?by=market') :]
    assert "<svg" not in market[: market.index("</a>")]
    # each measure has its own; all fees are alike
    fees = alices_browser.get("/reports/?by=market&metric=fees").content.decode()
    assert bars(fees) == [("down", "9")] * 3
    # the list alone, for a page that waits for it
    alone = alices_browser.get("/reports/?by=market", headers={"X-Part": "refresh"})
    assert bars(alone.content.decode()) == bars(page)
    assert "<html" not in alone.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("traded")
def test_the_range_is_of_the_measure_and_links_keep_it(alices_browser: Client) -> None:
    text = alices_browser.get("/reports/?by=symbol&metric=win_rate").content.decode()
    assert "43.6% … 97.0%" in text
    assert "The line in the middle is one half" in text
    assert 'href="?by=hour&amp;metric=win_rate&amp;"' in text
    assert '<option value="win_rate" selected>' in text
