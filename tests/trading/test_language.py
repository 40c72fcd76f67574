"""Whoever asks in Korean is answered in Korean; what is kept of it is English."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from accounts.models import ExchangeAccount, User
from market.binance.errors import BadKey
from tests.accounts.exchange import AccountExchange
from tests.trading.stage import trader
from tests.trading.test_orders_api import body, post
from trading import events
from trading.limits import SENTENCES
from trading.models import Idempotency, OrderIntent, RuleBreak
from trading.sentences import told
from trading.services.desk import desk
from trading.templatetags.trading_words import order_reason, order_word, rule_name

pytestmark = pytest.mark.django_db(transaction=True)

KOREAN = {"Accept-Language": "ko"}


@pytest.fixture
def koreans_browser(alice: User) -> Client:
    browser = Client(headers=KOREAN)
    browser.force_login(alice)
    return browser


def preview(browser: Client, sent: dict[str, Any]) -> Any:
    return browser.post("/api/orders/preview", sent, content_type="application/json").json()


def details(answer: Any) -> list[str]:
    return [row["detail"] for row in [*answer["problems"], *answer["warnings"]]]


def test_a_preview_speaks_the_language_of_whoever_asks(
    alices_browser: Client, koreans_browser: Client, alice: User, stage: AccountExchange
) -> None:
    account = trader(alice, stage, caps={"order": "10"})
    odd = body(account, price="50000.001")
    assert details(preview(alices_browser, odd)) == [
        "PRICE_FILTER: expected price in steps of 0.01, was 50000.001; nearest is 50000.",
        "This order is worth 50.000001, the largest allowed is 10.",
        "This entry has no stop.",
    ]
    assert details(preview(koreans_browser, odd)) == [
        "PRICE_FILTER: price 값은 0.01 단위여야 하는데 50000.001입니다(가장 가까운 값: 50000).",
        "주문 금액: 50.000001. 최대 10까지 허용됩니다.",
        "손절가가 없는 진입입니다.",
    ]


def test_a_body_that_cannot_be_read_is_told_in_both(
    alices_browser: Client, koreans_browser: Client, account: ExchangeAccount
) -> None:
    odd = body(account, quantity=0.5)
    english = "Expected quantity as decimal text such as \"0.01\", was '0.5'."
    korean = "quantity: \"0.01\" 같은 십진수 문자열이어야 합니다. 입력값: '0.5'"
    for browser, sentence in ((alices_browser, english), (koreans_browser, korean)):
        answer = post(browser, odd)
        assert (answer.status_code, answer.json()["code"]) == (400, "quantity")
        assert answer.json()["detail"] == sentence


def test_a_rule_blocks_in_korean_and_its_break_is_kept_in_english(
    koreans_browser: Client, account: ExchangeAccount
) -> None:
    heard: list[events.TradingEvent] = []
    wanted = {"rules": [{"name": "stop", "value": {}, "mode": "block"}]}
    koreans_browser.put("/api/rules", wanted, content_type="application/json")
    refused = post(koreans_browser, body(account))
    assert refused.status_code == 403
    assert refused.json()["detail"] == (
        "손절가가 없는 진입입니다. 내 규칙이 이 주문을 차단합니다. "
        "그래도 내려면 그 이유를 적으세요(override)."
    )
    events.register(heard.append)
    try:
        assert post(koreans_browser, body(account, override="hedged"), "k2").status_code == 201
    finally:
        events._listeners.remove(heard.append)
    assert RuleBreak.objects.get().detail == "This entry has no stop."
    assert [event.text for event in heard] == ["BTCUSDT: This entry has no stop."]


def test_a_change_that_is_refused_is_told_in_korean_and_kept_in_english(
    koreans_browser: Client, account: ExchangeAccount
) -> None:
    placed = post(koreans_browser, body(account)).json()
    path = f"/api/orders/{placed['id']}"
    koreans_browser.delete(path)
    OrderIntent.objects.update(state="accepted")

    def change() -> Any:
        return koreans_browser.patch(
            path,
            {"price": "51000"},
            content_type="application/json",
            headers={"Idempotency-Key": "change"},
        )

    refused = change()
    assert (refused.status_code, refused.json()["code"]) == (409, "already_gone")
    assert refused.json()["detail"] == "더는 미체결 상태가 아닌 주문입니다: CANCELED."
    english = "This order is not open any more: CANCELED."
    assert Idempotency.objects.get(key="change").answer["detail"] == english
    assert change().json()["detail"] == english  # as it is kept


def test_what_becomes_of_an_order_is_kept_in_english(
    koreans_browser: Client, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_key(*args: object) -> None:
        raise BadKey(0, told("this account has no key"))

    monkeypatch.setattr(desk, "_rest", no_key)
    answer = post(koreans_browser, body(account))
    assert answer.status_code == 409, answer.json()
    assert OrderIntent.objects.get().detail == "Binance said 0: this account has no key"


def test_the_form_of_rules_and_the_pages_words_are_korean(
    koreans_browser: Client, alices_browser: Client, account: ExchangeAccount
) -> None:
    post(alices_browser, body(account))
    odd = koreans_browser.post("/trading/rules/", {"day_trades": "20000"}).content.decode()
    assert "day_trades.count: 1~10000의 정수여야 합니다(입력값: &#x27;20000&#x27;)." in odd
    page = alices_browser.post("/trading/rules/", {"day_trades": "20000"}).content.decode()
    assert "Expected day_trades.count as a number from 1 to 10000, was &#x27;20000&#x27;." in page
    for shown, words in ((odd, ("매수", "접수됨", "대기")), (page, ("BUY", "accepted", "NEW"))):
        row = shown[shown.index('id="intents-title"') :]
        assert all(word in row for word in words)


def test_a_code_that_nobody_knows_stands_as_it_is() -> None:
    with translation.override("ko"):
        assert (order_word("SELL"), order_word("stop")) == ("매도", "손절")
        assert (rule_name("stop"), rule_name("new")) == ("손절 없는 진입 금지", "new")
        assert order_word("PENDING_CANCEL") == "PENDING_CANCEL"


def test_why_an_order_was_not_placed_is_shown_in_korean_and_the_exchanges_words_as_said(
    koreans_browser: Client, account: ExchangeAccount
) -> None:
    assert post(koreans_browser, body(account)).status_code == 201
    kept = "Trading was switched off before it was sent."
    OrderIntent.objects.update(state="expired", code="trading_off", detail=kept)
    page = koreans_browser.get("/trading/").content.decode()
    assert "보내기 전에 거래가 꺼졌습니다." in page
    assert kept not in page
    theirs = "Account has insufficient balance for requested action."
    OrderIntent.objects.update(state="refused", code="-2010", detail=theirs)
    assert theirs in koreans_browser.get("/trading/").content.decode()
    accepted = OrderIntent.objects.get()
    assert koreans_browser.get(f"/api/orders/intents/{accepted.pk}").json()["detail"] == theirs


def test_every_sentence_of_a_rule_that_is_kept_is_told_again_in_korean() -> None:
    values = {
        name: str(number + 3)
        for number, name in enumerate(re.findall(r"%\((\w+)\)s", " ".join(SENTENCES)))
    }
    for message in SENTENCES:
        kept = message % values
        with translation.override("ko"):
            korean = gettext(message) % values
            assert order_reason(kept) == korean != kept
        assert order_reason(kept) == kept
    with translation.override("ko"):
        assert order_reason("Filter failure: LOT_SIZE") == "Filter failure: LOT_SIZE"
        assert order_reason("") == ""


def test_a_broken_rule_is_shown_in_korean_and_a_price_with_its_thousands(
    koreans_browser: Client, alices_browser: Client, account: ExchangeAccount
) -> None:
    alices_browser.post("/trading/rules/", {"day_trades": "1"})
    post(alices_browser, body(account), "first")
    assert post(alices_browser, body(account), "second").status_code == 201
    kept = RuleBreak.objects.get().detail
    assert kept == "0 trades today and 1 waiting to be filled of at most 1."
    page = koreans_browser.get("/trading/").content.decode()
    assert kept not in page
    assert "오늘 거래 0건" in page
    assert ">50,000.00<" in re.sub(r"\s", "", page)
