"""One's own data taken along as one file, and erased with everything that leads to it."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts import privacy, tasks
from accounts.models import AuditEntry, ExchangeAccount, Export, User
from accounts.services import auditing, erasing, exporting
from accounts.services.tokens import issue_token
from config.privacy import EXPORTED, LEFT_OUT, SECRETS
from journal.models import Annotation, Fill, Screenshot, Tag, Watchlist
from market.models import Instrument
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, some_trades
from tests.sent import whole
from tests.signing_in import sign_in

ME, EXPORT = "/api/me", "/api/me/export"


@pytest.fixture(autouse=True)
def elsewhere(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files of this test alone; what a worker would do is done when it is asked for."""
    settings.MEDIA_ROOT = tmp_path / "files"
    monkeypatch.setattr(tasks, "export_soon", lambda export: exporting.make(export.pk))
    monkeypatch.setattr(tasks, "erase_soon", erasing.erase)
    yield


def give_data(user: User) -> ExchangeAccount:
    account = make_account(user, f"{user.username}s account")
    some_trades(account)
    note = Annotation.objects.create(user=user, trade_key="k", note=f"note of {user.username}")
    note.tags.add(Tag.objects.create(user=user, name="breakout"))
    Screenshot.objects.create(user=user, trade_key="k", image=b"picture", width=1, height=1)
    Watchlist.objects.create(user=user, name="mine", position=1)
    issue_token(user=user)
    return account


def delete(client: Client, name: str) -> Any:
    return client.delete(ME, {"name": name}, content_type="application/json")


def downloaded(client: Client, url: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(whole(client.get(url))))


# --- the lists ------------------------------------------------------------------------------------


def test_every_table_that_leads_to_a_user_is_in_one_of_the_lists() -> None:
    listed = set(EXPORTED) | set(LEFT_OUT)
    assert not set(EXPORTED) & set(LEFT_OUT)
    leading = {
        model._meta.label: privacy.paths_to_user(model)
        for model in apps.get_models(include_auto_created=True)
        if privacy.paths_to_user(model)
    }
    missing = {name: paths for name, paths in leading.items() if name not in listed}
    assert not missing, f"say in config/privacy.py whether an export holds them: {missing}"
    assert listed == set(leading)
    for name, path in {**EXPORTED, **{k: v[0] for k, v in LEFT_OUT.items()}}.items():
        assert path in leading[name], f"{name}: {path} does not lead to its user"


def test_every_column_that_holds_bytes_is_a_secret_or_a_file() -> None:
    for name in EXPORTED:
        for field in apps.get_model(name)._meta.concrete_fields:
            if field.get_internal_type() == "BinaryField":
                is_file = privacy.lists().FILES.get(name, ("",))[0] == field.name
                assert is_file or field.name in SECRETS.get(name, ()), f"{name}.{field.name}"


# --- export ---------------------------------------------------------------------------------------


def test_an_export_holds_all_that_is_ones_own(
    alice: User, bob: User, alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    give_data(alice)
    give_data(bob)
    asked = alices_browser.post(EXPORT)
    assert asked.status_code == 202, asked.content
    state = alices_browser.get(EXPORT).json()
    assert state["state"] == "done"
    assert state["done"] == state["of"] == len(EXPORTED)
    archive = downloaded(alices_browser, state["url"])
    assert archive.testzip() is None
    manifest = json.loads(archive.read("manifest.json"))
    fills = [json.loads(line) for line in archive.read("journal.Fill.jsonl").splitlines()]
    assert len(fills) == manifest["tables"]["journal.Fill"]["rows"]
    assert len(fills) == Fill.objects.filter(account__user=alice).count() > 0
    assert archive.read("fills.csv").count(b"\n") == len(fills) + 1
    picture = Screenshot.objects.get(user=alice)
    assert archive.read(f"files/journal.Screenshot-{picture.pk}.webp") == b"picture"
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"note of alice" in everything
    assert b"note of bob" not in everything
    assert b"bobs account" not in everything


def test_secrets_are_told_and_not_shown(
    alice: User, alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    give_data(alice)
    alices_browser.post(EXPORT)
    url = alices_browser.get(EXPORT).json()["url"]
    archive = downloaded(alices_browser, url)
    user = json.loads(archive.read("accounts.User.jsonl"))
    assert user["password_is_set"] is True
    assert "password" not in user
    token = json.loads(archive.read("accounts.ApiToken.jsonl"))
    assert alice.api_tokens.get().digest.encode() not in archive.read("accounts.ApiToken.jsonl")
    assert token["digest_is_set"] is True


def test_the_file_is_its_owners_for_a_day(
    alice: User, charlie: User, alices_browser: Client
) -> None:
    alices_browser.post(EXPORT)
    export = Export.objects.get()
    assert export.until is not None
    assert timedelta(hours=23) < export.until - timezone.now() <= timedelta(hours=24)
    url = alices_browser.get(EXPORT).json()["url"]
    assert sign_in(Client(), charlie).get(url).status_code == 404
    token = Client(headers={"Authorization": f"Token {issue_token(user=alice)}"})
    assert token.get(url).status_code == 404
    path = Path(default_storage.path(export.file))
    assert path.stat().st_mode & 0o077 == 0
    Export.objects.update(until=timezone.now())
    assert alices_browser.get(url).status_code == 404
    exporting.tidy()
    assert not path.exists()


def test_one_is_made_at_a_time(alice: User, alices_browser: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(tasks, "export_soon", lambda export: None)
    assert alices_browser.post(EXPORT).json()["state"] == "waiting"
    alices_browser.post(EXPORT)
    assert Export.objects.count() == 1
    assert AuditEntry.objects.filter(action="export asked for").count() == 1


def test_what_died_with_its_worker_is_told_as_failed(alice: User) -> None:
    export = exporting.ask(alice)
    Export.objects.filter(pk=export.pk).update(
        state="running", asked_at=timezone.now() - timedelta(hours=3)
    )
    exporting.tidy()
    assert Export.objects.get().state == "failed"


def test_both_ask_for_a_fresh_session(alice: User) -> None:
    old = sign_in(Client(), alice, fresh=False)
    for answer in (old.post(EXPORT), delete(old, "alice")):
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up")
    assert User.objects.get(pk=alice.pk).is_active


# --- erasure --------------------------------------------------------------------------------------


def test_an_erasure_leaves_nothing_behind(
    alice: User, bob: User, alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    give_data(alice)
    give_data(bob)
    auditing.record(owner=alice, actor=alice, action="something", subject="x")
    auditing.record(owner=bob, actor=alice, action="something of bob's", subject="x")
    alices_browser.post(EXPORT)
    file = Path(default_storage.path(Export.objects.get().file))
    answer = delete(alices_browser, "alice")
    assert answer.status_code == 202, answer.content
    assert not User.objects.filter(pk=alice.pk).exists()
    assert erasing.left_over(alice.pk) == {}
    assert not file.exists()
    assert alices_browser.get("/trades/").status_code == 302
    assert Annotation.objects.get().note == "note of bob"
    assert Fill.objects.filter(account__user=bob).exists()
    assert Instrument.objects.exists()
    line = AuditEntry.objects.get(owner=None)
    assert (line.action, line.subject) == ("user erased", str(alice.pk))
    assert "audit rows, the last" in line.why
    assert list(auditing.verify()) == []


def test_the_name_has_to_be_typed_as_it_is(alice: User, alices_browser: Client) -> None:
    answer = delete(alices_browser, "Alice")
    assert answer.status_code == 400
    assert "Expected your name 'alice', was 'Alice'" in answer.json()["name"][0]
    assert User.objects.get(pk=alice.pk).is_active


def test_what_stands_against_it_is_told(
    alice: User, alices_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "_refusals", [lambda user: "Trading is on for Main."])
    answer = delete(alices_browser, "alice")
    assert (answer.status_code, answer.json()["detail"]) == (409, "Trading is on for Main.")


def test_keys_go_first_and_a_killed_erasure_goes_on(
    alice: User, alices_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account(alice, "main")
    token = issue_token(user=alice)
    monkeypatch.setattr(tasks, "erase_soon", lambda user_id: None)  # the worker died
    delete(alices_browser, "alice")
    account.refresh_from_db()
    assert bytes(account.api_key) == bytes(account.api_secret) == b""
    reader = Client(headers={"Authorization": f"Token {token}"})
    assert reader.get("/api/accounts").status_code == 401
    assert erasing.waiting() == [alice.pk]
    erasing.erase(alice.pk)
    assert erasing.waiting() == []


def test_nobody_who_did_not_ask_is_erased(alice: User) -> None:
    erasing.erase(alice.pk)
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_page_erases_too(alice: User, alices_browser: Client) -> None:
    wrong = alices_browser.post("/account/privacy/erase/", {"name": "x"}, follow=True)
    assert "Expected your name" in wrong.content.decode()
    page = alices_browser.post("/account/privacy/erase/", {"name": "alice"})
    assert "your data are being erased" in page.content.decode()
    assert not User.objects.exists()
