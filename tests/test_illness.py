"""Two of whom one is ill: loops over owners, accounts, tapes and orders go on with the other one.

`docs/architecture.md`, *One that is ill*, lists these loops; what is tested elsewhere stands there.
"""

import importlib
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DataError
from django.utils import timezone

from accounts import tasks as account_tasks
from accounts.models import ExchangeAccount, Export, User
from accounts.services import exporting
from journal import tasks as journal_tasks
from journal.books import rebuilding, settling
from journal.models import Book, Fill, FillFlow, Guest, Preferences
from journal.planner import rounds
from journal.services import demo, guests
from market.archive import marks
from market.asking import granting
from market.binance.rest_rows import FundingRow
from market.models import Instrument
from market.services import funding
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, make_fill
from trading import tasks as trading_tasks
from trading.models import OrderIntent, TradingSwitch
from trading.services import (
    adopting,
    cancelling,
    resolving,
    stopping,
    stranded,
    switching,
    watching,
)

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[1]
State = OrderIntent.State
Role = OrderIntent.Role


class Ill(Exception):
    pass


def ill_for(sick: Callable[..., bool], result: object = True) -> Callable[..., Any]:
    """A step that breaks for whoever is sick and does nothing for the others."""

    def step(*words: Any, **named: Any) -> object:
        if sick(*words, **named):
            raise Ill
        return result

    return step


@pytest.fixture
def accounts(alice: User, bob: User) -> tuple[ExchangeAccount, ExchangeAccount]:
    """The ill one, which comes first, and the other."""
    return make_account(alice), make_account(bob)


def intent(account: ExchangeAccount, name: str, **more: Any) -> OrderIntent:
    values: dict[str, Any] = {
        "user": account.user,
        "account": account,
        "market": "usdm",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "client_id": f"{name}-{account.pk}"[:36],
        "body": {},
        "request": {},
        "state": State.ACCEPTED,
        "timestamp_ms": 1,
        "life": "one",
        **more,
    }
    return OrderIntent.objects.create(**values)


def test_a_switch_that_cannot_be_ended_holds_no_other_one_on(
    accounts: tuple[ExchangeAccount, ExchangeAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    over = timezone.now() - timedelta(minutes=1)
    for account in accounts:
        TradingSwitch.objects.create(account=account, is_on=True, until=over)
    plain = switching.switch_off

    def off(*, account: ExchangeAccount, actor: User | None, why: str) -> TradingSwitch:
        if account == accounts[0]:
            raise Ill
        return plain(account=account, actor=actor, why=why)

    monkeypatch.setattr(switching, "switch_off", off)
    assert switching.end_due() == 1
    assert list(TradingSwitch.objects.order_by("is_on").values_list("is_on", flat=True)) == [
        False,
        True,
    ]


def test_a_late_order_that_cannot_be_cancelled_leaves_the_others_to_be(
    accounts: tuple[ExchangeAccount, ExchangeAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in accounts:
        intent(account, "late", is_unwanted=True, order={"status": "NEW"})
    sick = ill_for(lambda row: row.account_id == accounts[0].pk)
    monkeypatch.setattr(cancelling, "cancel_intent", sick)
    assert stopping.late_arrivals() == 1


def test_a_plan_an_order_and_a_stop_of_one_hold_nobody_elses_back(
    accounts: tuple[ExchangeAccount, ExchangeAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in accounts:
        entry = intent(account, "plan", order={"order_id": 7, "status": "FILLED"})
        intent(account, "stop", role=Role.STOP, state=State.REFUSED)
        intent(account, "target", role=Role.TARGET, parent=entry, order={"status": "NEW"})
    sick = ill_for(lambda row: row.account_id == accounts[0].pk)
    monkeypatch.setattr(adopting, "_adopt", sick)
    monkeypatch.setattr(watching, "_watch", sick)
    monkeypatch.setattr(stranded, "_take_back", sick)
    assert adopting.adopt_once() == 1
    assert stranded.take_back() == 1
    assert watching.watch_once() == 1


@pytest.mark.parametrize(
    ("task", "places"),
    [
        (
            trading_tasks.resolve,
            [(resolving, "resolve_once"), (stopping, "late_arrivals"), (switching, "end_due")],
        ),
        (
            trading_tasks.follow,
            [
                (adopting, "follow_orders"),
                (adopting, "adopt_once"),
                (stranded, "take_back"),
                (watching, "watch_once"),
            ],
        ),
    ],
)
def test_a_duty_of_trading_that_breaks_ends_no_other(
    task: Any, places: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def well(name: str) -> Callable[[], None]:
        return lambda: done.append(name)

    (module, first), *others = places
    monkeypatch.setattr(module, first, ill_for(lambda: True))
    for module, name in others:
        monkeypatch.setattr(module, name, well(name))
    task()
    assert done == [name for _module, name in others]


def test_a_guest_that_cannot_be_removed_keeps_no_other_one_here(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (alice, bob):
        Guest.objects.create(user=user, taken_at=timezone.now() - timedelta(days=2))
    monkeypatch.setattr(guests, "remove", ill_for(lambda guest: guest.user == alice))
    assert guests.remove_old() == 1


def test_a_copy_that_fails_is_not_everybodys(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (alice, bob):
        Preferences.objects.update_or_create(user=user, defaults={"demo": demo.WANTED})
    monkeypatch.setattr(demo, "give", ill_for(lambda user: user == alice))
    assert demo.give_wanted() == 1


def test_a_demo_that_cannot_be_reviewed_stops_neither_the_others_nor_the_guests(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (alice, bob):
        Preferences.objects.update_or_create(user=user, defaults={"demo": demo.ADDED})
    reviewed: list[User] = []
    kept: list[str] = []

    def review(chosen: Preferences) -> None:
        if chosen.user == alice:
            raise Ill
        reviewed.append(chosen.user)

    monkeypatch.setattr(demo, "prepare", ill_for(lambda: True))
    monkeypatch.setattr(guests, "keep_ready", lambda: kept.append("ready"))
    monkeypatch.setattr(journal_tasks, "_review", review)
    journal_tasks.keep_demo()
    assert (reviewed, kept) == ([bob], ["ready"])


def test_a_file_that_cannot_be_deleted_keeps_no_other_export_here(
    alice: User, bob: User, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    over = timezone.now() - timedelta(minutes=1)
    for user in (alice, bob):
        name = default_storage.save(f"{user.username}.zip", ContentFile(b"PK"))
        Export.objects.create(
            user=user, state=Export.State.DONE, file=name, until=over, asked_at=over
        )
    plain = exporting.remove

    def remove(export: Export) -> None:
        if export.user == alice:
            raise OSError("read-only file system")
        plain(export)

    monkeypatch.setattr(exporting, "remove", remove)
    account_tasks.tidy()
    assert [export.user for export in Export.objects.all()] == [alice]


def test_a_market_whose_first_picture_breaks_leaves_the_others_theirs(
    make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    for symbol in ("ILLUSDT", "BTCUSDT"):
        make_instrument(symbol)
    Instrument.objects.update(followed_at=timezone.now())
    monkeypatch.setattr(granting, "_prepare", ill_for(lambda tape: tape.symbol == "ILLUSDT"))
    assert granting.prepare_charts() == 1


def test_a_future_whose_funding_cannot_be_kept_stops_no_other(
    make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    tapes = [make_instrument(symbol, market="usdm") for symbol in ("ILLUSDT", "BTCUSDT")]
    kept: list[str] = []

    def save(instrument: Instrument, rows: list[FundingRow]) -> None:
        if instrument.symbol == "ILLUSDT":
            raise DataError("numeric field overflow")
        kept.append(instrument.symbol)

    async def ask(since: dict[str, int]) -> dict[str, list[FundingRow]]:
        return {symbol: [FundingRow(1, "0.0001")] for symbol in since}

    monkeypatch.setattr(
        marks, "due_for_funding", lambda: [(tape, timezone.now()) for tape in tapes]
    )
    monkeypatch.setattr(marks, "save_funding", save)
    monkeypatch.setattr(funding, "_ask", ask)
    funding.read_funding()
    assert kept == ["BTCUSDT"]


def test_books_of_one_that_cannot_be_settled_leave_the_others_to_be(
    accounts: tuple[ExchangeAccount, ExchangeAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in accounts:
        Book.objects.create(account=account, market="spot", name="BTC")
    built: list[ExchangeAccount] = []

    def rebuild_due(account: ExchangeAccount, ask: object) -> None:
        if account == accounts[0]:
            raise Ill
        built.append(account)

    monkeypatch.setattr(rebuilding, "rebuild_due", rebuild_due)
    settling.settle()
    assert built == [accounts[1]]


@pytest.mark.django_db(transaction=True)  # each market has a thread
def test_fills_whose_market_breaks_the_planner_wait_and_the_round_goes_on(
    accounts: tuple[ExchangeAccount, ExchangeAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    for number, account in enumerate(accounts):
        fill = make_fill(account, number, "BUY", "100")
        fill.save()
        FillFlow.objects.create(fill=fill, stage=FillFlow.Stage.TOTAL, stamped_at=timezone.now())
        rows.append([fill])
    done: list[Fill] = []

    class Turn:
        def __init__(self, stage: str, *words: object, **named: object) -> None:
            self.stage = stage

        def fills(self, most: int) -> list[Fill]:
            return rows.pop(0) if self.stage == FillFlow.Stage.TOTAL and rows else []

    def fetch(fills: list[Fill], is_to_stop: object) -> None:
        if fills[0].account_id == accounts[0].pk:
            raise Ill
        done.extend(fills)

    monkeypatch.setattr(rounds, "Turn", Turn)
    monkeypatch.setattr(rounds, "_fetch_minutes", fetch)
    assert rounds.work_round() == 2
    assert [fill.account_id for fill in done] == [accounts[1].pk]
    ill = FillFlow.objects.get(fill__account=accounts[0])
    assert ill.again_at is not None
    assert ill.again_at > timezone.now() + timedelta(hours=1)


# --- the list -----------------------------------------------------------------------------------

ROW = re.compile(
    r"^\| [^|]+ \| `([\w/]+\.py): ([\w.]+)` \| [^|]+ \| `([\w/]+\.py): (\w+)` \|$", re.M
)


def test_the_list_of_loops_names_what_there_is() -> None:
    rows = ROW.findall((ROOT / "docs/architecture.md").read_text())
    assert len(rows) >= 20
    for path, name, test_path, test in rows:
        place: Any = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        for part in name.split("."):
            place = getattr(place, part)
        assert f"def {test}(" in (ROOT / test_path).read_text(), test
