"""Every door, walked with the cast: nobody is anonymous where it matters, nobody sees another's.

A route that is not named here fails the test: whoever adds one says who may come in.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ExchangeAccount, User
from accounts.services.tokens import issue_token
from alerts.models import Alert, Channel
from journal.models import (
    Annotation,
    FillMark,
    ManualFill,
    OpeningBalance,
    Screenshot,
    StatedCost,
    Trade,
    Transfer,
    Upload,
    Watchlist,
)
from market.live.topics import refusal
from market.models import ImportJob
from tests.conftest import MakeInstrument
from tests.doors import OPEN, OWNED, PERMITTED, SCOPED, SIGNED_IN, THEIRS
from tests.journal.accounts import make_account, some_trades
from tests.signing_in import sign_in
from trading.models import OrderIntent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_often_as_wished")]
METHODS = ("get", "post", "put", "patch", "delete")


def routes(patterns: Any = None, head: str = "") -> Iterator[tuple[str, str]]:
    """(name, path) of every route of ours."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = head + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not path.startswith(THEIRS):
                yield from routes(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            assert entry.name, f"{path} has no name"
            yield entry.name, path


def test_every_route_says_who_may_come_in() -> None:
    names = {name for name, _ in routes()}
    assert names == OPEN | SIGNED_IN | PERMITTED | set(OWNED)


def filled(path: str, mine: dict[str, str]) -> str:
    for part, value in {
        "<str:symbol>": "BTCUSDT",
        "<slug:name>": "troubleshooting",
        "<int:job_id>": mine["job"],
        "<int:token_id>": mine["token"],
        "<int:session_id>": mine["session"],
        "<uuid:account_id>": mine["exchange"],
        "<int:trade_id>": mine["trade"],
        "<uuid:picture_id>": mine["picture"],
        "<int:fill_id>": mine["fill"],
        "<int:upload_id>": mine["upload"],
        "<int:opening_id>": mine["opening"],
        "<int:transfer_id>": mine["transfer"],
        "<str:day>": "2026-03-02",
        "<int:watchlist_id>": mine["watchlist"],
        "<int:alert_id>": mine["alert"],
        "<uuid:channel_id>": mine["channel"],
        "<uuid:intent_id>": mine["intent"],
    }.items():
        path = path.replace(part, value)
    assert "<" not in path, f"{path}: say here what to fill in"
    return f"/{path}"


@pytest.fixture
def bobs(bob: User, make_instrument: MakeInstrument) -> dict[str, str]:
    """What bob owns."""
    make_instrument("BTCUSDT")
    issue_token(user=bob)
    account = make_account(bob, "bobs-own")
    ExchangeAccount.objects.filter(pk=account.pk).update(last_four="qZq7")
    some_trades(account)
    trade = Trade.objects.filter(closed_at__isnull=False).first()
    assert trade is not None
    Annotation.objects.create(user=bob, trade_key=trade.key, note="bobs-own secret")
    shot = Screenshot.objects.create(
        user=bob, trade_key=trade.key, image=b"bobs-own", width=1, height=1
    )
    fill = ManualFill.objects.create(
        account=account,
        market="spot",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        side="BUY",
        price=1,
        quantity=1,
        time=trade.opened_at,
        why="bobs-own",
    )
    upload = Upload.objects.create(
        account=account, name="bobs-own.csv", body=b"a", digest="d", state="looked"
    )
    opening = OpeningBalance.objects.create(
        account=account, asset="BTC", quantity=1, time=trade.opened_at, why="owner"
    )
    transfer = Transfer.objects.create(
        account=account,
        kind="deposit",
        external_id="bobs-own",
        asset="BTC",
        amount=1,
        time=trade.opened_at,
        source="rest",
    )
    StatedCost.objects.create(
        account=account,
        asset="BTC",
        external_id="bobs-own",
        amount=1,
        time=trade.opened_at,
        cost=1,
        bought_at=trade.opened_at,
    )
    watchlist = Watchlist.objects.create(user=bob, name="bobs-own", position=1)
    session = UserSession.objects.create(
        user=bob, ip="203.0.113.7", session_key="bobs-own-session", user_agent="bobs-own"
    )
    alert = Alert.objects.create(
        user=bob, name="bobs-own", condition={"kind": "fill"}, kind="fill", cooldown_s=0
    )
    channel = Channel.objects.create(
        user=bob, kind="email", name="bobs-own", shown="qZq7", target=b"x", secret=b"x", kek_id=1
    )
    intent = OrderIntent.objects.create(
        user=bob,
        account=account,
        market="spot",
        symbol="BTCUSDT",
        side="BUY",
        client_id="bobs-own",
        body={"note": "bobs-own"},
        request={},
        life="x",
    )
    job = ImportJob.objects.create(
        market="spot",
        symbol="X",
        kind="trades",
        first_day="2025-01-01",
        last_day="2025-01-01",
        asked_by="bob",
    )
    return {
        "exchange": str(account.pk),
        "token": str(bob.api_tokens.get().pk),
        "session": str(session.pk),
        "job": str(job.pk),
        "trade": str(trade.pk),
        "picture": str(shot.pk),
        "fill": str(fill.pk),
        "upload": str(upload.pk),
        "opening": str(opening.pk),
        "transfer": str(transfer.pk),
        "watchlist": str(watchlist.pk),
        "alert": str(alert.pk),
        "channel": str(channel.pk),
        "intent": str(intent.pk),
    }


def test_a_stranger_without_a_name_sees_nothing(client: Client, bobs: dict[str, str]) -> None:
    for name, path in routes():
        if name in OPEN:
            continue
        for method in METHODS:
            answer = getattr(client, method)(filled(path, bobs))
            is_away = answer.status_code in {401, 403, 405} or (
                answer.status_code == 302 and "/accounts/login/" in answer["Location"]
            )
            assert is_away, f"{method} {path}: {answer.status_code}"


@pytest.mark.parametrize("way", ["session", "token"])
def test_charlie_finds_nothing_of_bobs_on_any_door(
    bob: User, charlie: User, bobs: dict[str, str], way: str
) -> None:
    stranger = Client()
    if way == "session":
        sign_in(stranger, charlie)
    else:
        stranger = Client(headers={"Authorization": f"Token {issue_token(user=charlie)}"})
    for name, path in routes():
        for method in METHODS:
            answer = getattr(stranger, method)(filled(path, bobs))
            text = answer.content.decode(errors="replace") if not answer.streaming else ""
            assert "bobs-own" not in text, f"{method} {path}"
            assert "qZq7" not in text, f"{method} {path}"
            assert answer.status_code < 500 or name == "readyz", f"{method} {path}"
            assert answer.status_code != 429, f"{method} {path}"
            if name in OWNED:
                allowed = {404, 405, 302} if way == "token" else {404, 405}
                if name in SCOPED and way == "token":
                    allowed = {*allowed, 403}  # this token may not trade, whoever's order it is
                assert answer.status_code in allowed, f"{method} {path}: {answer.status_code}"
            if name in PERMITTED:
                assert answer.status_code in {302, 403, 405}, f"{method} {path}"
    assert ExchangeAccount.objects.filter(user=bob).count() == 1
    assert (Screenshot.objects.count(), ManualFill.objects.count()) == (1, 1)
    assert Upload.objects.get(account__user=bob).state == "looked"
    assert OpeningBalance.objects.get().account.user == bob
    assert FillMark.objects.count() == 0
    assert StatedCost.objects.get().cost == 1
    assert Annotation.objects.get(user=bob).note == "bobs-own secret"
    assert bob.api_tokens.count() == 1
    assert Watchlist.objects.get(user=bob).name == "bobs-own"
    assert (Alert.objects.get(user=bob).name, Channel.objects.count()) == ("bobs-own", 1)


def test_the_owner_comes_in(bob: User, bobs: dict[str, str]) -> None:
    browser = Client()
    browser.force_login(bob)
    for name in ("exchange-account", "api-account"):
        path = dict(routes())[name]
        assert browser.get(filled(path, bobs)).status_code == 200
    assert b"bobs-own" in browser.get("/account/exchange/").content


@pytest.mark.parametrize(
    "topic",
    ["account:1", "pnl:1", "user:1", "", "*", "ended"],
)
async def test_a_topic_that_is_not_the_markets_is_refused(topic: str) -> None:
    assert await refusal(topic) is not None
