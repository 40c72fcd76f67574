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
    """`old` becomes `new` in `path`; the test must fail."""

    what: str
    path: str
    old: str
    new: str
    file: str
    test: str


SIGNED = "tests/accounts/test_signed_requests.py"
SCOPES = "tests/accounts/test_scopes.py"
AUDIT = "tests/accounts/test_auditing.py"
FACTORS = "tests/accounts/test_factors.py"
PRIVACY = "tests/accounts/test_privacy.py"
SIGN_UP = "tests/accounts/test_sign_up.py"
DOORS = "tests/security/test_doors.py"
SHARES = "tests/security/test_shares.py"
ATTACKS = "tests/security/test_attacks.py"
ANSWERS = "tests/security/test_answers.py"
ODD = "tests/security/test_odd_input.py"
WALLS = "tests/market/test_walls.py"

SIGNATURES = "accounts/services/signatures.py"
AUDITING = "accounts/services/auditing.py"
EXPORTING = "accounts/services/exporting.py"
MUTANTS = [
    Mutant(
        "a nonce counts twice",
        SIGNATURES,
        "    if not is_new:",
        "    if False:",
        SIGNED,
        "test_a_nonce_counts_once",
    ),
    Mutant(
        # that it has to be covered is asked for twice: here, and by the library that has the body
        "a body is not compared with its digest",
        SIGNATURES,
        "            body=message.body,\n",
        "",
        SIGNED,
        "test_what_was_not_signed_so_is_refused_with_the_reason",
    ),
    Mutant(
        "any keyid will do",
        SIGNATURES,
        "if key_id != self._signer.keyid:",
        "if False:",
        SIGNED,
        "test_what_was_not_signed_so_is_refused_with_the_reason",
    ),
    Mutant(
        "an old request counts",
        SIGNATURES,
        "seconds=60)",
        "seconds=6000)",
        SIGNED,
        "test_the_clock_may_differ_by_a_minute",
    ),
    Mutant(
        "the address need not be covered",
        SIGNATURES,
        '["@method", "@target-uri"]',
        '["@method"]',
        SIGNED,
        "test_what_was_not_signed_so_is_refused_with_the_reason",
    ),
    Mutant(
        "a scope is not asked for",
        "accounts/api/permissions.py",
        "if scope not in token.scopes:",
        "if False:",
        SCOPES,
        "test_a_token_without_the_scope_is_told_which_it_lacks",
    ),
    Mutant(
        "a token may confirm",
        "accounts/api/permissions.py",
        "if scope == SESSION_ONLY:",
        "if False:",
        SCOPES,
        "test_no_token_may_do_what_asks_who_you_are",
    ),
    Mutant(
        "a token has no end",
        "accounts/models/tokens.py",
        "filter(expires_at__gt=timezone.now(), ",
        "filter(",
        SCOPES,
        "test_a_token_ends_by_itself_after_ninety_days",
    ),
    Mutant(
        "networks are not looked at",
        "accounts/api/authentication.py",
        "if words and not is_within(",
        "if not words and not is_within(",
        SCOPES,
        "test_a_token_works_from_its_networks_only",
    ),
    Mutant(
        "a changed row is not seen",
        AUDITING,
        "if entry.digest != entry.digest_now():",
        "if False:",
        AUDIT,
        "test_a_changed_row_is_told",
    ),
    Mutant(
        "a shorter chain is not seen",
        AUDITING,
        "if expected - 1 != length:",
        "if False:",
        AUDIT,
        "test_a_row_cut_off_the_end_is_told",
    ),
    Mutant(
        "an old session is fresh",
        "accounts/step_up.py",
        "return any(_is_recent(record) for record in _records(request))\n\n\ndef has_fresh",
        "return True\n\n\ndef has_fresh",
        FACTORS,
        "test_what_matters_asks_again_who_you_are",
    ),
    Mutant(
        "a new password ends nothing",
        "accounts/passwords.py",
        'sign_ins.end_all(user, why="password changed")',
        "pass",
        FACTORS,
        "test_a_new_password_ends_every_sign_in",
    ),
    Mutant(
        "staff need no factor",
        "accounts/middleware/access.py",
        "if not user.is_authenticated or step_up.has_used_factor(request):",
        "if True:",
        FACTORS,
        "test_staff_places_ask_for_a_factor_where_something_is_at_stake",
    ),
    Mutant(
        "the admin has a door of its own",
        "config/urls.py",
        "admin.site.login = secure_admin_login(admin.site.login)",
        "admin.site.login = admin.site.login",
        FACTORS,
        "test_the_admin_has_no_door_of_its_own",
    ),
    Mutant(
        "factors lie open",
        "accounts/adapters.py",
        "return factor_text(sealed, key_id_of(sealed))",
        'return f"sealed:{text}"',
        FACTORS,
        "test_a_factor_is_set_up_sealed_and_asked_for",
    ),
    Mutant(
        "a stranger locks a name",
        "accounts/adapters.py",
        'return f"{user_id or name.lower()}:{self.get_client_ip(request)}"',
        'return f"{user_id or name.lower()}"',
        SIGN_UP,
        "test_a_stranger_locks_nobody_out",
    ),
    Mutant(
        "anybody signs up",
        "accounts/adapters.py",
        "return sign_up.may_sign_up(request)",
        "return True",
        SIGN_UP,
        "test_where_it_is_closed_nobody_signs_up",
    ),
    Mutant(
        "an export holds everybody's",
        EXPORTING,
        "filter(**{path: user.pk}).order_by",
        "order_by",
        PRIVACY,
        "test_an_export_holds_all_that_is_ones_own",
    ),
    Mutant(
        "an export holds secrets",
        EXPORTING,
        "bool(row.pop(column))",
        "bool(row[column])",
        PRIVACY,
        "test_secrets_are_told_and_not_shown",
    ),
    Mutant(
        "a chain outlives its owner",
        "accounts/services/erasing.py",
        "length, digest = auditing.forget(user)",
        'length, digest = 0, ""',
        PRIVACY,
        "test_an_erasure_leaves_nothing_behind",
    ),
    Mutant(
        "any header names the client",
        "lib/networks.py",
        "if not (is_within(peer, trusted) if peer else unix):",
        "if False:",
        DOORS,
        "test_the_client_is_who_the_nearest_believed_proxy_says",
    ),
    Mutant(
        "metrics are told through a proxy",
        "config/health.py",
        "and not is_forwarded:",
        "and True:",
        DOORS,
        "test_metrics_are_for_this_machine_and_for_whom_the_operator_names",
    ),
    Mutant(
        "a body may say any length",
        "config/doors/bodies.py",
        'if _length(scope["headers"]) > most:',
        "if False:",
        DOORS,
        "test_a_body_that_says_it_is_too_large_is_not_read",
    ),
    Mutant(
        "one user takes every turn",
        "accounts/turns.py",
        "if sum(_held.values()) >= MOST or _held[who] >= most:",
        "if False:",
        SHARES,
        "test_one_user_holds_few_turns_and_leaves_some_to_others",
    ),
    Mutant(
        "one user is at work with everything at once",
        "config/doors/fairness.py",
        "return who if self._shares.has_others(who) else None",
        "return None",
        "tests/security/test_fairness.py",
        "test_beside_others_a_few_of_one_user_are_at_work_at_once",
    ),
    Mutant(
        "shares have no end",
        "accounts/limits.py",
        "return self.left < 0",
        "return False",
        SHARES,
        "test_the_api_tells_what_is_left_and_then_refuses",
    ),
    Mutant(
        "cells are formulas",
        "journal/answers.py",
        'return value if is_number(value) else f"\'{value}"',
        "return value",
        ATTACKS,
        "test_a_cell_is_no_formula",
    ),
    Mutant(
        "a NUL comes in",
        "lib/odd_input.py",
        'if "\\x00" in text:',
        "if False:",
        ODD,
        "test_a_nul_in_an_address_is_a_sentence",
    ),
    Mutant(
        "a socket outlives its network",
        "accounts/live.py",
        "return bool(user.is_authenticated) and _may_come(user, address)",
        "return bool(user.is_authenticated)",
        ANSWERS,
        "test_a_socket_ends_when_its_network_is_shut_out",
    ),
    Mutant(
        "a wall is hammered",
        "market/binance/rest.py",
        "await self.governor.wall(seconds",
        "await self.governor.true_up(0) or (seconds",
        WALLS,
        "test_the_wall_is_asked_once_and_then_left_alone",
    ),
    Mutant(
        "the time tells who exists",
        "accounts/backends.py",
        "dict.fromkeys(meant)",
        "[*meant, *meant]",
        ANSWERS,
        "test_a_name_that_nobody_has_takes_as_many_hashes_as_a_wrong_password",
    ),
    Mutant(
        "made-up cursors come in",
        "journal/api/lists.py",
        "if begins.tzinfo is None:",
        "if False:",
        ANSWERS,
        "test_a_made_up_cursor_is_refused",
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
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "--reuse-db",
                f"{mutant.file}::{mutant.test}",
            ],
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
