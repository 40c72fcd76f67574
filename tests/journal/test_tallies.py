"""Reports that PostgreSQL adds up are those that Python added up row by row, to the last place."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import ExchangeAccount, User
from journal.answers import group_answer
from journal.filters import TradeFilter
from journal.models import Annotation, Preferences, Setup, Tag, Trade
from journal.selectors import report_rows, reports
from journal.selectors.dimensions import DIMENSIONS
from journal.selectors.preferences import preferences_of
from journal.selectors.reports import Group
from journal.selectors.tallies import Tally, split_of, tallies, tally
from tests.journal import plain_reports
from tests.journal.accounts import make_account

pytestmark = pytest.mark.django_db
START = datetime(2025, 3, 25, 22, tzinfo=UTC)
COUNT = 300
UNITS = [str(unit) for unit in Preferences.Unit]


def any_trade(account: ExchangeAccount, number: int, chance: random.Random) -> Trade:
    """Few moments, so that there are ties; nets of nothing, and some that nobody can value."""
    opened = START + timedelta(minutes=15 * chance.randrange(1500))
    held = chance.choice(
        [timedelta(0), timedelta(minutes=15), timedelta(seconds=chance.randrange(10**6))]
    )
    net = chance.choice([D(0), D(chance.randrange(-(10**22), 10**22)).scaleb(-18), D(-7), D(7)])
    rate = chance.choice([D(1), D("0.923456789012345678"), None])
    entry = D(chance.randrange(1, 10**8)).scaleb(-4)
    size = D(chance.randrange(0, 10**7)).scaleb(-2)
    symbol = chance.choice(["BTCUSDT", "ETHUSDC", "BNBETH"])
    return Trade(
        account=account,
        key=f"{chance.choice('aZ9_é')}-{number}",
        kind=chance.choice(["trade"] * 9 + ["stack"]),
        is_apart=chance.random() < 0.05,
        ended_by=chance.choice(["", "", "", "withdrawn", "set_aside"]),
        market=chance.choice(["spot", "usdm"]),
        symbol=symbol,
        base=symbol[:3],
        quote=symbol[3:],
        position_side="BOTH",
        direction=chance.choice(["LONG", "SHORT"]),
        opened_at=opened,
        closed_at=None if chance.random() < 0.05 else opened + held,
        quantity=D(chance.randrange(1, 10**6)).scaleb(-6),
        entry_price=entry,
        gross=net,
        fees=D(1),
        funding=D(0),
        net=net,
        quote_rate=chance.choice([D(1), D("3123.45")]),
        rate=rate,
        gross_money=None if rate is None else net * rate,
        fees_money=None if rate is None else D(number).scaleb(-3),
        funding_money=None if rate is None else D(0),
        net_money=None if rate is None else (net * rate).quantize(D("1e-18")),
        size_money=None if rate is None else size,
        fill_count=chance.randrange(1, 60),
        maker_share=chance.choice([D(0), D("0.01"), D("0.5"), D("0.985"), D("0.99"), D(1)]),
        flow=chance.choice(["with", "mixed", "against", "unknown"]),
        flow_share=chance.choice([None, D(-1), D("-0.6"), D("-0.2"), D(0), D("0.59"), D("0.6")]),
        efficiency=chance.choice([None, D("-0.1"), D(0), D("0.25"), D("0.749999"), D("0.75")]),
        placed_stop=chance.choice([None, entry, entry * D("0.9")]),
        stop_moves=chance.choice(["", "kept", "towards", "away", "both"]),
    )


def write_notes(user: User, trades: list[Trade], chance: random.Random) -> None:
    setups = [Setup.objects.create(user=user, name=name) for name in ("breakout", "fade")]
    tags = [
        Tag.objects.create(user=user, kind=kind, name=name)
        for kind, name in (("tag", "news"), ("tag", "late"), ("mistake", "late"), ("mistake", "–"))
    ]
    notes, tagged = [], []
    for trade in trades:
        for _ in range(chance.choice([0, 0, 1, 1, 2])):
            note = Annotation(
                user=user,
                trade_key=trade.key,
                setup=chance.choice([None, *setups]),
                emotion=chance.choice(["", "calm", "afraid"]),
                rating=chance.choice([None, 1, 5]),
                initial_stop=chance.choice([None, D("0.5"), trade.entry_price]),
                reviewed_at=chance.choice([None, START]),
            )
            notes.append(note)
            tagged += [(note, tag) for tag in chance.sample(tags, chance.randrange(3))]
    Annotation.objects.bulk_create(notes)
    link = Annotation.tags.through
    link._default_manager.bulk_create(
        link(annotation_id=note.pk, tag_id=tag.pk) for note, tag in tagged
    )


@pytest.fixture
def journal(alice: User, bob: User) -> User:
    chance = random.Random(11)
    accounts = [make_account(alice), make_account(alice, "second")]
    trades = [any_trade(accounts[number % 2], number, chance) for number in range(COUNT)]
    Trade.objects.bulk_create(trades)
    other = make_account(bob)
    Trade.objects.bulk_create(any_trade(other, number, chance) for number in range(20))
    write_notes(alice, trades, chance)
    write_notes(bob, trades[:50], chance)
    Preferences.objects.update_or_create(
        user=alice, defaults={"zone": "Europe/Berlin", "day_start": 5}
    )
    return alice


def shown(group: Group, unit: str = "money") -> dict[str, Any]:
    """What any screen can show of it. Python adds per cents and R, which are quotients, at 28
    places."""
    if unit != "money":
        group = replace(group, net=group.net.quantize(D("1e-12")))
    return {**group_answer(group), "hold": group.hold, "crosses_zero": group.crosses_zero}


@pytest.mark.parametrize(
    ("unit", "usual_risk"), [*((unit, None) for unit in UNITS), (Preferences.Unit.RISK, D("12.5"))]
)
def test_every_breakdown_is_that_of_the_rows(
    journal: User, unit: str, usual_risk: D | None
) -> None:
    chosen = preferences_of(journal)
    chosen.unit, chosen.usual_risk = unit, usual_risk
    trades = TradeFilter().apply(journal, chosen)
    rows = report_rows.in_unit(report_rows.load(journal, trades, chosen), chosen)
    assert len(rows) > 50
    for dimension in DIMENSIONS:
        expected = plain_reports.breakdown(rows, dimension, chosen)
        groups = reports.breakdown(trades, dimension, chosen, unit)
        assert [shown(group, unit) for group in groups] == [
            shown(group, unit) for group in expected
        ], dimension
        assert reports.count_of(trades, dimension, groups, chosen, unit) == len(rows)


MATRICES = (("tag", "mistake"), ("tag", "tag"), ("streak", "of_day"), ("hour", "flow"))


def test_a_matrix_is_that_of_the_rows(journal: User) -> None:
    chosen = preferences_of(journal)
    trades = TradeFilter(market="spot").apply(journal, chosen)
    rows = report_rows.load(journal, trades, chosen)
    for down, across in MATRICES:
        columns, lines = reports.matrix(trades, down, across, chosen)
        expected_columns, expected_lines = plain_reports.matrix(rows, down, across, chosen)
        assert columns == expected_columns
        assert [name for name, _ in lines] == [name for name, _ in expected_lines]
        for (_, cells), (_, expected) in zip(lines, expected_lines, strict=True):
            assert [cell and shown(cell) for cell in cells] == [
                cell and shown(cell) for cell in expected
            ], (down, across)


def test_groups_add_up_to_all_of_them_and_can_be_taken_away(journal: User) -> None:
    chosen = preferences_of(journal)
    everything = TradeFilter().apply(journal, chosen)
    by_symbol = tallies(everything, chosen, ["symbol"])
    total = tally(everything, chosen)
    assert sum(by_symbol.values(), Tally()) == total
    bitcoin = tally(TradeFilter(symbol="BTCUSDT").apply(journal, chosen), chosen)
    assert by_symbol["BTCUSDT",] == bitcoin
    assert total - bitcoin == by_symbol["ETHUSDC",] + by_symbol["BNBETH",]


def test_others_are_compared_as_their_rows_are(journal: User, alices_browser: Client) -> None:
    pair = alices_browser.get("/reports/compare/?direction=LONG").context["pair"]
    chosen = preferences_of(journal)
    rows = report_rows.load(journal, TradeFilter().apply(journal, chosen), chosen)
    for group, direction in ((pair.first, "LONG"), (pair.second, "SHORT")):
        expected = plain_reports.group("", [row for row in rows if row.direction == direction])
        assert shown(group) == shown(expected)


def test_days_are_those_of_closing(journal: User) -> None:
    chosen = preferences_of(journal)
    trades = TradeFilter().apply(journal, chosen)
    nets: dict[date, D] = {}
    for row in report_rows.load(journal, trades, chosen):
        day = report_rows.day_in(row.closed_at, chosen)
        nets[day] = nets.get(day, D(0)) + row.net
    _none, split = split_of(trades, chosen, "symbol")
    assert {day: figures.net for day, figures in split.days.items()} == nets


def test_what_is_marked_is_told_apart_in_one_reading(journal: User) -> None:
    chosen = preferences_of(journal)
    trades = TradeFilter().apply(journal, chosen)
    wins, losses = trades.filter(net_money__gt=0), trades.exclude(net_money__gt=0)
    for dimension in DIMENSIONS:
        marked, others = split_of(trades, chosen, dimension, marked=wins)
        for split, mine in ((marked, wins), (others, losses)):
            (alone,) = split_of(mine, chosen, dimension)[1:]
            assert split.days == alone.days, dimension
            # a window over all trades (a number of the day, losses before) is another over some
            if dimension not in {"of_day", "streak"}:
                assert split.groups == alone.groups, dimension
                named = tallies(mine, chosen, [dimension])
                by_name = {(name,): figures for name, figures in split.groups.items()}
                assert by_name == named, dimension


NOTED = (
    "journal_trade",
    "journal_setup",
    "journal_tag",
    "journal_annotation",
    "journal_annotation_tags",
)


def rows_touched(plan: dict[str, Any]) -> int:
    """The most rows that any step of a query has seen, those among them that it did not want. What
    a bitmap found in an index are places, those of the rows that earlier tests took back too."""
    unwanted = ("Filter", "Index Recheck", "Join Filter")
    seen = plan["Actual Rows"] + sum(plan.get(f"Rows Removed by {why}", 0) for why in unwanted)
    here = 0 if plan["Node Type"] == "Bitmap Index Scan" else seen * plan["Actual Loops"]
    return max([int(here), *map(rows_touched, plan.get("Plans", []))])


def test_what_was_written_since_postgresql_counted_is_joined_as_sets(journal: User) -> None:
    """Tables that were emptied, counted and filled again are taken for empty ones."""
    with connection.cursor() as cursor:
        for name in NOTED:
            cursor.execute(f"CREATE TEMPORARY TABLE kept_{name} ON COMMIT DROP AS TABLE {name}")
        for name in reversed(NOTED):
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608
            cursor.execute(f"ANALYZE {name}")
        for name in NOTED:
            cursor.execute(f"INSERT INTO {name} TABLE kept_{name}")
    touched: list[int] = []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("WITH trade"):
            execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params, many, context)
            (((plan,),),) = context["cursor"].fetchall()
            touched.append(rows_touched(plan["Plan"]))
        return execute(sql, params, many, context)

    chosen = preferences_of(journal)
    trades = TradeFilter().apply(journal, chosen)
    for dimension in ("mistake", "tag", "setup", "streak"):
        with connection.execute_wrapper(explained):
            groups = tallies(trades, chosen, [dimension])
        assert len(groups) >= 2, dimension
        assert len(touched) == 1 and touched.pop() < 4 * COUNT, dimension


def test_the_spread_of_two_results_is_worked_by_hand(alice: User) -> None:
    account, chance = make_account(alice), random.Random(1)
    for number, net in enumerate((D(10), D(-4))):
        trade = any_trade(account, number, chance)
        trade.kind, trade.is_apart, trade.ended_by = "trade", False, ""
        trade.closed_at = trade.opened_at + timedelta(minutes=30)
        trade.net_money, trade.fees_money, trade.size_money = net, D(1), D(100)
        trade.save()
    total = tally(TradeFilter().apply(alice, preferences_of(alice)), preferences_of(alice))
    # mean 3, deviations 7 and -7: 49 + 49 by n - 1
    assert (total.net, total.squares, total.variance) == (D(6), D(116), D(98))
    assert (total.won, total.lost, total.fees) == (D(10), D(-4), D(2))
    assert total.held == timedelta(hours=1)


def test_nothing_adds_up_to_nothing(alice: User, alices_browser: Client) -> None:
    chosen = preferences_of(alice)
    assert tally(Trade.objects.none(), chosen) == Tally()
    for name in DIMENSIONS:
        assert reports.breakdown(TradeFilter().apply(alice, chosen), name, chosen) == []
    pair = alices_browser.get("/reports/compare/").context["pair"]
    assert (pair.first, pair.second) == (None, None)
