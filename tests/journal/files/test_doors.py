"""One fill, whichever door: API, stream, file, statement and hand know each other in any order."""

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from itertools import permutations
from threading import Barrier

import pytest
from django.db import connection, transaction

from accounts.models import ExchangeAccount, User
from journal.faults import NotAFile
from journal.models import Fill, Income, ManualFill, Transfer, Witness
from journal.services import correcting, exports, importing, undoing
from journal.sync.saving import save_fills
from tests.journal.accounts import make_account, make_fill
from tests.journal.files import samples as s
from tests.journal.files.doors import AT, BOUGHT, STATED, bring, by_hand, told

pytestmark = pytest.mark.django_db

DOORS: dict[str, Callable[[ExchangeAccount], object]] = {
    "hand": by_hand,
    "file": lambda a: bring(a, BOUGHT),
    "statement": lambda a: bring(a, STATED),
    "api": told,
}


@pytest.mark.parametrize("order", list(permutations(DOORS)))
def test_one_purchase_told_by_every_door_is_one(
    account: ExchangeAccount, order: tuple[str, ...]
) -> None:
    for name in order:
        try:
            DOORS[name](account)
        except correcting.BadCorrection:
            assert name == "hand"  # not needed any more
    held = [fill.quantity for fill in Fill.objects.all()]
    held += [fill.quantity for fill in ManualFill.objects.all()]
    assert held == [D("0.001")]
    fill = Fill.objects.get()
    assert (fill.trade_id, fill.source, fill.time) == (7, "rest", AT + timedelta(milliseconds=120))
    assert fill.upload_id is None


def test_two_equal_fills_of_one_second_are_two(account: ExchangeAccount) -> None:
    twice = BOUGHT + BOUGHT.splitlines()[1] + "\n"
    bring(account, twice)
    assert Fill.objects.count() == 2
    told(account, 7)
    told(account, 8)
    assert sorted(Fill.objects.values_list("trade_id", flat=True)) == [7, 8]
    told(account, 9)
    assert Fill.objects.count() == 3
    bring(account, twice + "\n")
    assert Fill.objects.count() == 3


def test_other_spellings_headers_and_zones_are_the_same_rows(account: ExchangeAccount) -> None:
    bring(account, s.SPOT_OLD_SHAPE)
    bring(account, s.SPOT_NEW_SHAPE)
    bring(account, s.SPOT_LOCAL, s.SPOT_LOCAL_NAME)
    rows = Fill.objects.order_by("time").values_list("side", "quantity", "fee")
    assert list(rows) == [
        ("BUY", D("0.01"), D("0.00001")),
        ("SELL", D("0.00999"), D("0.700299")),
    ]


def test_ids_made_for_a_second_run_as_time_does(account: ExchangeAccount) -> None:
    bring(account, s.SAME_SECOND)
    rows = list(Fill.objects.order_by("time", "trade_id"))
    assert [row.side for row in rows] == ["BUY", "SELL"] * 4
    assert all(row.trade_id < 0 for row in rows)


def test_the_other_market_is_another_fill(account: ExchangeAccount) -> None:
    told(account, 7, market="usdm", symbol="BTCUSDT")
    bring(account, BOUGHT)
    assert sorted(Fill.objects.values_list("market", flat=True)) == ["spot", "usdm"]


def test_a_zone_is_told_by_fills_that_the_api_knows(account: ExchangeAccount) -> None:
    told(account, 7)
    local = BOUGHT.replace("(UTC)", "").replace("08:00:00", "13:45:00")
    row = importing.look(exports.upload(account=account, name="x.csv", body=local.encode()))
    assert (row.preview["zone"], row.preview["new"], row.preview["known"]) == ("UTC+05:45", 0, 1)
    other = local.replace("40000", "41000").replace("40USDT", "41USDT")
    row = importing.look(exports.upload(account=account, name="x.csv", body=other.encode()))
    assert row.preview["needs_zone"]
    importing.look(exports.choose_zone(row, "Asia/Seoul"))
    assert (row.preview["new"], row.preview["first"]) == (1, "2026-03-02T04:45:00+00:00")


def test_a_time_that_a_file_told_wrong_is_corrected_by_the_api(account: ExchangeAccount) -> None:
    bring(account, s.USDM_LOCAL, "x.csv", "UTC")
    right = datetime(2026, 3, 17, 9, 0, 5, 120_000, tzinfo=UTC)
    told(account, 419925075, market="usdm", time=right, realized=D(0))
    assert Fill.objects.get(trade_id=419925075).time == right
    assert Fill.objects.count() == 2


# --- undone -------------------------------------------------------------------------------------


def test_undoing_a_file_brings_back_what_it_took_the_place_of(account: ExchangeAccount) -> None:
    by_hand(account)
    row = bring(account, BOUGHT)
    assert (row.preview["new"], row.preview["replaced"]) == (1, 1)
    assert row.preview["changes"] == [("spot", "USDT", "-0.04")]  # the fee alone
    assert (ManualFill.objects.count(), Fill.objects.count()) == (0, 1)
    assert undoing.undo(row, user=account.user) == 1
    assert (ManualFill.objects.get().why, Fill.objects.count()) == ("missing", 0)
    assert (row.state, Witness.objects.count()) == ("undone", 0)


def test_a_row_of_two_files_stays_until_both_are_undone(account: ExchangeAccount) -> None:
    one, other = bring(account, s.SPOT_OLD_SHAPE), bring(account, s.SPOT_NEW_SHAPE)
    ids = set(Fill.objects.values_list("trade_id", flat=True))
    undoing.undo(one, user=account.user)
    assert set(Fill.objects.values_list("trade_id", flat=True)) == ids
    undoing.undo(other, user=account.user)
    assert (Fill.objects.count(), Witness.objects.count()) == (0, 0)


def test_what_the_api_told_as_well_stays_when_its_file_is_undone(account: ExchangeAccount) -> None:
    row = bring(account, BOUGHT)
    told(account, 7)
    undoing.undo(row, user=account.user)
    assert Fill.objects.get().trade_id == 7
    with pytest.raises(NotAFile):
        again = bring(account, BOUGHT)
        bring(account, BOUGHT)
    assert again.rows_taken == 0


def test_a_whole_statement_goes_as_it_came(account: ExchangeAccount) -> None:
    row = bring(account, s.MANY_OPERATIONS)
    assert (Transfer.objects.count(), Income.objects.count(), Fill.objects.count()) == (12, 2, 1)
    actions = account.user.audit_entries.values_list("action", flat=True)
    assert "file taken in" in actions
    undoing.undo(row, user=account.user)
    assert not Transfer.objects.exists() and not Income.objects.exists()
    assert not Fill.objects.exists()
    assert "file undone" in account.user.audit_entries.values_list("action", flat=True)


def test_a_trade_history_replaces_what_a_statement_could_not_put_together(
    account: ExchangeAccount,
) -> None:
    unclear = STATED + "1,2026-03-02 08:00:00,Spot,Transaction Buy,ETH,2,\n"
    one = bring(account, unclear)
    assert (Fill.objects.count(), Transfer.objects.count()) == (0, 4)
    history = bring(account, BOUGHT + "2026-03-02 08:00:00,ETHUSDT,BUY,10,2ETH,20USDT,0.001BNB\n")
    assert (Fill.objects.count(), Transfer.objects.count()) == (2, 0)
    undoing.undo(history, user=account.user)
    assert (Fill.objects.count(), Transfer.objects.count()) == (0, 4)
    undoing.undo(one, user=account.user)
    bring(account, BOUGHT + "2026-03-02 08:00:00,ETHUSDT,BUY,10,2ETH,20USDT,0.001BNB\n\n")
    bring(account, unclear + "\n")
    assert (Fill.objects.count(), Transfer.objects.count()) == (2, 0)


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}(UTC).csv", text)
    return packed.getvalue()


def test_files_of_one_archive_know_each_other(account: ExchangeAccount) -> None:
    twice = BOUGHT + BOUGHT.splitlines()[1] + "\n"
    deposit = "1,2026-05-06 23:06:01,Spot,Deposit,USDT,125.564991,\n"
    body = zipped(
        jan=BOUGHT, feb=twice, all=STATED + deposit, more=STATED + deposit, deposits=s.DEPOSIT
    )
    row = importing.look(exports.upload(account=account, name="x.zip", body=body))
    assert (row.preview["new"], row.preview["kind"]) == (3, "spot+statement+deposits")
    importing.take_in(row, user=account.user, digest=row.preview["digest"])
    assert (Fill.objects.count(), Transfer.objects.count()) == (2, 1)


def test_one_second_of_a_statement_keeps_its_order(account: ExchangeAccount) -> None:
    sold = STATED.replace("Buy,BTC,0.001", "Sold,BTC,-0.001").replace(
        "Spend,USDT,-40", "Revenue,USDT,41"
    )
    bring(account, STATED + sold.split("\n", 1)[1])
    assert list(Fill.objects.order_by("trade_id").values_list("side", flat=True)) == ["BUY", "SELL"]


def test_two_doors_at_once_keep_one_row(transactional_db: None, alice: User) -> None:
    account = make_account(alice)
    barrier = Barrier(2)

    def told_by_a_thread(number: int) -> None:
        barrier.wait(10)
        try:
            if number:
                told(account)
            else:
                with transaction.atomic():
                    row = make_fill(account, 0, "BUY", "40000", quantity="0.001", time=AT)
                    row.source = "file"
                    save_fills(account, [row])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(told_by_a_thread, (0, 1)))
    assert Fill.objects.get().trade_id == 7
