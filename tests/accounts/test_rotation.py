"""A rotation of keys misses nothing that is sealed: tokens' keys and second factors too."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command

from accounts.adapters import FactorAdapter
from accounts.models import ApiToken, User
from accounts.services import tokens
from accounts.services.tokens import Binding, issue_token
from accounts.vault import keyring
from lib.secret import Secret

KEY = b"k" * 32


@pytest.fixture(autouse=True)
def sealed(settings: Any, tmp_path: Path, db: None) -> None:
    settings.KEK_DIR = tmp_path / "keys"
    keyring.ensure()


def kek(*words: str) -> str:
    output = StringIO()
    call_command("kek", *words, stdout=output)
    return output.getvalue()


def test_nothing_is_left_with_the_old_key(alice: User) -> None:
    issue_token(user=alice, binding=Binding("hmac", Secret(KEY)))
    issue_token(user=alice)  # holds no key
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    kek("add")
    kek("promote", "2")
    assert "key 1: enabled, file here, seals 1 tokens, 1 second factors (totp)" in kek("status")
    with pytest.raises(CommandError, match=r"still seals 1 tokens, 1 second factors \(totp\)"):
        kek("disable", "1")
    kek("rewrap")
    kek("disable", "1")
    kek("destroy", "1")
    token = ApiToken.objects.get(key_kind="hmac")
    assert tokens.key_of(token).reveal() == KEY
    factor = Authenticator.objects.get()
    assert factor.data["secret"].startswith("sealed:2:")
    assert FactorAdapter().decrypt(factor.data["secret"]) == "JBSWY3DPEHPK3PXP"
