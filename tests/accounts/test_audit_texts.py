"""The audit trail in words of the reader's language."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.services import auditing
from accounts.templatetags.audit_texts import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
# what hands its last text on to `auditing.record`
HANDS_ON = {"_audit", "_changed", "_note"}


def written() -> Iterator[str]:
    """Every action that is written as a text where something is noted."""
    for app in ("accounts", "journal", "trading"):
        for path in (ROOT / app).rglob("*.py"):
            content = path.read_text()
            if "auditing.record(" not in content:
                continue
            for node in ast.walk(ast.parse(content)):
                if isinstance(node, ast.Call):
                    yield from actions_in(node)


def actions_in(call: ast.Call) -> Iterator[str]:
    parts = [keyword.value for keyword in call.keywords if keyword.arg == "action"]
    if isinstance(call.func, ast.Name) and call.func.id in HANDS_ON:
        parts = call.args[2:]
    for part in parts:
        texts = [part.body, part.orelse] if isinstance(part, ast.IfExp) else [part]
        yield from (
            node.value
            for node in texts
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )


def test_every_action_that_is_noted_has_words() -> None:
    found = set(written())
    assert len(found) > 25
    assert found - set(ACTIONS) == set()


@pytest.mark.django_db
def test_the_trail_is_read_in_korean_and_kept_as_it_was(
    alice: User, alices_browser: Client
) -> None:
    auditing.record(owner=alice, actor=alice, action="token made", subject="x")
    alices_browser.cookies["django_language"] = "ko"
    page = alices_browser.get("/account/audit/").content.decode()
    assert "토큰 생성" in page
    assert "token made" not in page
    assert AuditEntry.objects.get().action == "token made"
