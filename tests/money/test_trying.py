"""`manage.py try_history` (money.md 8): every case of `cases.py`, exactly, and nothing is kept."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from accounts.models import ExchangeAccount, User
from journal.models import Book, Fill, Trade
from tests.money.cases import ALL, STACK_AND_DAY_TRADES, fill

pytestmark = pytest.mark.django_db
FLAT: dict[str, Any] = {
    "trades": [],
    "stack": {},
    "open": {},
    "net": "0",
    "apart": "0",
    "tax_net": "0",
    "unrealised": "0",
    "income": "0",
    "problems": [],
}
DAY_TRADE = ["LONG", "60000", "60100", "10"]


def told(net: str, *trades: list[str], **more: Any) -> dict[str, Any]:
    return FLAT | {"net": net, "tax_net": net, "trades": list(trades)} | more


RIGHT = {
    "two_pairs_one_coin": told("1500", ["LONG", "60000", "61500", "1500"]),
    "usdm_history_begins_inside_a_short": told(
        "17.3",
        ["SHORT", "110", "105", "5"],
        apart="12.3",
        problems=["history_begins_inside_a_position"],
    ),
    "own_wallet_and_back": told("10000", ["LONG", "50000", "60000", "10000"]),
    "funding_row_four_seconds_late": told("0.5", ["LONG", "100", "101", "0.5"]),
    "funding_goes_to_the_flipped_position": told(
        "1.5", ["LONG", "100", "101", "0.5"], ["SHORT", "101", "100", "1"]
    ),
    "locked_hedge_funding": told(
        "1", ["LONG", "100", "105", "4.99"], ["SHORT", "100", "104", "-3.99"]
    ),
    "delivered_quarterly": told("20", ["LONG", "100", "120", "20"]),
    "stack_and_day_trades": told(
        "100", *[DAY_TRADE] * 10, tax_net="20100", unrealised="20100", stack={"BTC": "1"}
    ),
    "interest_between_day_trades": told(
        "50", *[DAY_TRADE] * 5, income="60", stack={"BTC": "0.001"}
    ),
    "note_then_older_export": told(
        "100",
        ["LONG", "2000", "2100", "100"],
        tax_net="350",
        unrealised="300",
        stack={"ETH": "0.5"},
    ),
}


def tried(path: Path, cases: Any, *options: str) -> list[dict[str, Any]]:
    file = path / "cases.json"
    file.write_text(cases if isinstance(cases, str) else json.dumps(cases))
    out = StringIO()
    call_command("try_history", str(file), *options, stdout=out)
    answers: list[dict[str, Any]] = json.loads(out.getvalue())["cases"]
    return answers


def test_8_every_case_comes_out_exactly(tmp_path: Path) -> None:
    answers = tried(tmp_path, [{"name": name, **case} for name, case in ALL.items()])
    by_name = {answer.pop("name"): answer for answer in answers}
    dust = by_name.pop("dust_same_coin_twice")
    assert by_name == RIGHT
    assert (dust["stack"], dust["open"], dust["net"]) == ({"BNB": "0.0005292"}, {}, "0")
    assert "oversold" in dust["problems"]  # nobody brought the SOL


def test_8_a_case_by_its_name_and_another_method(tmp_path: Path) -> None:
    cases = [{"name": name, **case} for name, case in ALL.items()]
    [answer] = tried(tmp_path, cases, "--case", "stack_and_day_trades", "--method", "lifo")
    right = RIGHT["stack_and_day_trades"] | {"tax_net": "100"}
    assert answer == {"name": "stack_and_day_trades", **right}


def test_8_marks_rules_and_a_price_are_heard(tmp_path: Path) -> None:
    case = {
        "price": {"SOL": "130"},
        "rules": {"SOLUSDT": ["0.01", "0"]},
        "set_aside": [["SOLUSDT", 1]],
        "spot": [
            fill("SOLUSDT", 1, "BUY", "100", "1"),
            fill("SOLUSDT", 2, "BUY", "120", "1"),
            fill("SOLUSDT", 3, "SELL", "125", "0.995"),
        ],
    }
    [answer] = tried(tmp_path, case)  # a case alone
    assert answer["trades"] == [["LONG", "120", "125", "4.975"]]
    assert (answer["stack"], answer["open"]) == ({"SOL": "1.005"}, {})
    assert answer["unrealised"] == "30.05"  # 30 of the first, 0.005 x 10 of the rest


def test_8_a_position_of_each_contract_is_told_by_its_name(tmp_path: Path) -> None:
    def row(symbol: str, number: int, book: str) -> list[Any]:
        return [symbol, number, "BUY", "100", "1", "0", "USDT", "2026-03-02T08:00:00Z", "0", book]

    case = {
        "position_now": {"BTCUSDT": "3", "ETHUSDT:LONG": "1"},
        "usdm": [row("BTCUSDT", 1, "BOTH"), row("ETHUSDT", 1, "LONG")],
    }
    [answer] = tried(tmp_path, case)
    assert answer["open"] == {"BTCUSDT": "3", "ETHUSDT:LONG": "1"}
    assert answer["problems"] == ["history_begins_inside_a_position"]


def test_8_nothing_is_kept(tmp_path: Path) -> None:
    models = [
        model
        for name in ("accounts", "journal")
        for model in apps.get_app_config(name).get_models()
    ]  # noqa: E501
    before = {model: model._default_manager.count() for model in models}
    tried(tmp_path, STACK_AND_DAY_TRADES)
    assert {model: model._default_manager.count() for model in models} == before
    assert not any(model.objects.exists() for model in (User, ExchangeAccount, Book, Fill, Trade))


ROW = fill("SOLUSDT", 1, "BUY", "100", "1")
BAD: list[tuple[Any, str]] = [
    ("{", "expected JSON"),
    ("3", "expected a list of cases"),
    ('{"cases": 3}', "expected a list of cases"),
    ('"spot"', "expected a list of cases"),
    ([3], "expected a list of cases"),
    ({"spot": [ROW[:5]]}, "expected rows"),
    ({"spot": [["SOLUSDT", 1, "BUY", "dear", *ROW[4:]]]}, "case ?"),
    ({"name": "n", "spot": [["NOPAIR", *ROW[1:]]]}, "expected a pair with a known quote"),
    ({"spot": [[*ROW[:7], "2026-03-01T08:00:00"]]}, "expected one with its zone"),
    ({"spot": [[*ROW[:7], "yesterday"]]}, "case ?"),
    ({"spot": [["SOLUSDT", "x", *ROW[2:]]]}, "case ?"),
    ({"spot": {"a": 1}}, "case ?"),
    ({"spot": [ROW], "price": "150"}, "case ?"),
    ({"spot": [ROW], "price": {"SOL": "much"}}, "case ?"),
]


@pytest.mark.parametrize(("cases", "message"), BAD, ids=range(len(BAD)))
def test_8_a_bad_file_is_refused_with_a_sentence(tmp_path: Path, cases: Any, message: str) -> None:
    with pytest.raises(CommandError) as refused:
        tried(tmp_path, cases)
    assert message in str(refused.value)
    assert not Fill.objects.exists()


def test_8_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can be read"):
        call_command("try_history", str(tmp_path / "nothing.json"))
    with pytest.raises(CommandError, match="named 'nobody'"):
        tried(tmp_path, STACK_AND_DAY_TRADES, "--case", "nobody")


@pytest.mark.parametrize(
    "row",
    [
        ["SOLUSDT", 2, "HOLD", *ROW[3:]],
        ["SOLUSDT", 2, "BUY", "-1", *ROW[4:]],
        ["SOLUSDT", 2, "BUY", "100", "0", *ROW[5:]],
        ["SOLUSDT", 2, "BUY", "1e40", *ROW[4:]],
        ["SOLUSDT", 2, *ROW[2:7], "2031-01-01T00:00:00Z"],
    ],
    ids=["side", "price", "quantity", "too large", "of the future"],
)
def test_7_a_row_that_cannot_be_is_left_out_by_the_one_validator(
    tmp_path: Path, row: list[Any]
) -> None:
    [answer] = tried(tmp_path, {"spot": [ROW, row]})
    assert answer["open"] == {"SOL": "1"}
