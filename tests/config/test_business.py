"""The figures of the installation on /status/ are for its staff."""

import pytest
from django.test import Client

from accounts.models import User
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db


def test_staff_sees_people_work_and_cost(client: Client, alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    alice.refresh_from_db()
    text = sign_in(client, alice).get("/status/").content.decode()
    assert "This installation" in text
    for what in ("Users", "Fills of the last day", "Size of the database", "Memory of Valkey"):
        assert what in text
    assert "0 / 4800" in text  # weight of spot: 80 % of 6000


def test_others_do_not(client: Client, bob: User) -> None:
    assert "This installation" not in sign_in(client, bob).get("/status/").content.decode()
