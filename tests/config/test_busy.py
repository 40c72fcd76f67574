"""A page or an answer of the API that meets what somebody else holds."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from psycopg import errors

from accounts.models import User
from config.middleware.busy import Busy
from journal.models import Book, Preferences
from journal.sync.saving import save_fills
from tests.journal.accounts import make_account, make_fill
from tests.journal.busy import at_it
from tests.journal.test_settings import SAID


@pytest.fixture
def impatient(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 200")
        yield
        cursor.execute("RESET lock_timeout")


@pytest.mark.usefixtures("impatient")
def test_a_page_says_so_and_nothing_is_half_done(alice: User, alices_browser: Client) -> None:
    account = make_account(alice)
    save_fills(account, [make_fill(account, 1, "BUY", "100")])
    book, address = Book.objects.get(), reverse("preferences")
    wish = {**SAID, "method": "average", "zone": "Asia/Seoul"}
    with at_it(lambda: Book.objects.select_for_update().get(pk=book.pk)):
        answer = alices_browser.post(address, wish)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "try again in a moment" in answer.content.decode()
    assert not Preferences.objects.filter(zone="Asia/Seoul").exists()
    assert alices_browser.post(address, wish).status_code == 302
    assert Preferences.objects.filter(zone="Asia/Seoul").exists()


def test_the_api_says_so_in_json() -> None:
    error = OperationalError()
    error.__cause__ = errors.LockNotAvailable()
    middleware = Busy(lambda request: HttpResponse())
    answer = middleware.process_exception(RequestFactory().get("/api/trades"), error)
    assert answer is not None
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/json")


@pytest.mark.parametrize(
    ("error", "cause"),
    [(OperationalError(), errors.ConnectionException()), (ValueError(), errors.LockNotAvailable())],
    ids=["away", "another"],
)
def test_nothing_else_is_taken_for_it(error: Exception, cause: Exception) -> None:
    error.__cause__ = cause
    middleware = Busy(lambda request: HttpResponse())
    assert middleware.process_exception(RequestFactory().get("/"), error) is None
