"""Take one protection away at a time: a test has to fail each time.

  make mutants

A suite that stays green when a lock is gone proves nothing. The servers are the launcher's, for all
runs together.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT_OUT = shutil.ignore_patterns(".venv", "node_modules", "var", ".git", "__pycache__", ".*_cache")


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new` in `path`; one of `tests` must notice."""

    what: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


SIGNED = ("tests/accounts/test_signed_requests.py",)
SCOPES = ("tests/accounts/test_scopes.py",)
AUDIT = ("tests/accounts/test_auditing.py",)
FACTORS = ("tests/accounts/test_factors.py",)
PRIVACY = ("tests/accounts/test_privacy.py",)
SIGN_UP = ("tests/accounts/test_sign_up.py",)
DOORS = ("tests/security/test_doors.py",)
SHARES = ("tests/security/test_shares.py",)
ATTACKS = ("tests/security/test_attacks.py",)

SIGNATURES = "accounts/services/signatures.py"
AUDITING = "accounts/services/auditing.py"
EXPORTING = "accounts/services/exporting.py"
MUTANTS = [
    Mutant("a nonce counts twice", SIGNATURES, "    if not is_new:", "    if False:", SIGNED),
    Mutant(
        "a body is not compared",
        SIGNATURES,
        "body=message.body,\n        )",
        'body=b"",\n        )',
        SIGNED,
    ),
    Mutant(
        "any keyid will do",
        SIGNATURES,
        "if key_id != self._signer.keyid:",
        "if False:",
        SIGNED,
    ),
    Mutant("an old request counts", SIGNATURES, "seconds=60)", "seconds=6000)", SIGNED),
    Mutant(
        "the address need not be covered",
        SIGNATURES,
        '["@method", "@target-uri"]',
        '["@method"]',
        SIGNED,
    ),
    Mutant(
        "a scope is not asked for",
        "accounts/api/permissions.py",
        "if scope not in token.scopes:",
        "if False:",
        SCOPES,
    ),
    Mutant(
        "a token may confirm",
        "accounts/api/permissions.py",
        "if scope == SESSION_ONLY:",
        "if False:",
        SCOPES,
    ),
    Mutant(
        "a token has no end",
        "accounts/models/tokens.py",
        "filter(expires_at__gt=timezone.now(), ",
        "filter(",
        SCOPES,
    ),
    Mutant(
        "networks are not looked at",
        "accounts/api/authentication.py",
        "if words and not is_within(",
        "if not words and not is_within(",
        SCOPES,
    ),
    Mutant(
        "a changed row is not seen",
        AUDITING,
        "if entry.digest != entry.digest_now():",
        "if False:",
        AUDIT,
    ),
    Mutant(
        "a shorter chain is not seen", AUDITING, "if expected - 1 != length:", "if False:", AUDIT
    ),
    Mutant(
        "an old session is fresh",
        "accounts/step_up.py",
        "return any(_is_recent(record) for record in _records(request))\n\n\ndef has_fresh",
        "return True\n\n\ndef has_fresh",
        FACTORS,
    ),
    Mutant(
        "a new password ends nothing",
        "accounts/passwords.py",
        'sign_ins.end_all(user, why="password changed")',
        "pass",
        FACTORS,
    ),
    Mutant(
        "staff need no factor",
        "accounts/middleware/access.py",
        "if not user.is_authenticated or step_up.has_used_factor(request):",
        "if True:",
        FACTORS,
    ),
    Mutant(
        "the admin has a door of its own",
        "config/urls.py",
        "admin.site.login = secure_admin_login(admin.site.login)",
        "admin.site.login = admin.site.login",
        FACTORS,
    ),
    Mutant(
        "factors lie open",
        "accounts/adapters.py",
        "return factor_text(sealed, key_id_of(sealed))",
        'return f"sealed:{text}"',
        FACTORS,
    ),
    Mutant(
        "a stranger locks a name",
        "accounts/adapters.py",
        'return f"{user_id or name.lower()}:{self.get_client_ip(request)}"',
        'return f"{user_id or name.lower()}"',
        SIGN_UP,
    ),
    Mutant(
        "anybody signs up",
        "accounts/adapters.py",
        "return sign_up.may_sign_up(request)",
        "return True",
        SIGN_UP,
    ),
    Mutant(
        "an export holds everybody's",
        EXPORTING,
        "filter(**{path: user.pk}).order_by",
        "order_by",
        PRIVACY,
    ),
    Mutant(
        "an export holds secrets", EXPORTING, "bool(row.pop(column))", "bool(row[column])", PRIVACY
    ),
    Mutant(
        "a chain outlives its owner",
        "accounts/services/erasing.py",
        "length, digest = auditing.forget(user)",
        'length, digest = 0, ""',
        PRIVACY,
    ),
    Mutant(
        "any header names the client",
        "lib/networks.py",
        "if not (is_within(peer, trusted) if peer else unix):",
        "if False:",
        DOORS,
    ),
    Mutant(
        "metrics are told through a proxy",
        "config/health.py",
        "and not is_forwarded:",
        "and True:",
        DOORS,
    ),
    Mutant(
        "a body may say any length",
        "config/doors/bodies.py",
        'if _length(scope["headers"]) > most:',
        "if False:",
        DOORS,
    ),
    Mutant(
        "one user takes every turn",
        "accounts/turns.py",
        "if sum(_held.values()) >= MOST or _held[who] >= MOST_OF_ONE:",
        "if False:",
        SHARES,
    ),
    Mutant(
        "shares have no end", "accounts/limits.py", "return self.left < 0", "return False", SHARES
    ),
    Mutant(
        "cells are formulas",
        "journal/answers.py",
        'return value if is_number(value) else f"\'{value}"',
        "return value",
        ATTACKS,
    ),
    Mutant(
        "a NUL comes in",
        "lib/odd_input.py",
        'if "\\x00" in text:',
        "if False:",
        ("tests/security/test_odd_input.py",),
    ),
]


def survives(mutant: Mutant) -> bool:
    """Whether its tests are green though the protection is gone."""
    with tempfile.TemporaryDirectory(prefix="tapelog-mutant-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=KEPT_OUT)
        (tree / "node_modules").symlink_to(ROOT / "node_modules")
        file = tree / mutant.path
        source = file.read_text()
        if source.count(mutant.old) != 1:
            raise SystemExit(f"{mutant.path} has changed: {mutant.what} cannot be planted")
        file.write_text(source.replace(mutant.old, mutant.new))
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "--reuse-db", *mutant.tests],
            cwd=tree,
            capture_output=True,
            timeout=900,
            check=False,
        )
        if ended.returncode not in {0, 1}:
            raise SystemExit(f"{mutant.what}: {ended.stdout.decode()[-2000:]}")
        return ended.returncode == 0


def main(words: list[str]) -> int:
    """`words` choose mutants by their names; none chooses all."""
    chosen = [m for m in MUTANTS if not words or any(word in m.what for word in words)]
    survivors = 0
    for number, mutant in enumerate(chosen, 1):
        is_green = survives(mutant)
        survivors += is_green
        verdict = "SURVIVED" if is_green else "killed"
        print(f"{number}/{len(chosen)} {verdict:9} {mutant.what}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
