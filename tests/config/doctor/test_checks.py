"""Each check against states made by hand: what is said, how bad it is, and what to do."""

import pytest

from config.doctor import machine, outside, stores, work
from config.doctor.findings import Finding, Level

GOOD = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_locks_per_transaction": "1024",
    "max_connections": "150",
    "server_encoding": "UTF8",
}
VALKEY = {
    "server_name": "valkey",
    "valkey_version": "9.0.1",
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "maxmemory": 0,
    "used_memory": 5_000_000,
}
SERVED = outside.Setup(
    is_embedded=False,
    is_simulated=False,
    is_exposed=True,
    is_https=True,
    has_proxies=True,
    has_mail=True,
    allowed_hosts=("tapelog.example.org",),
    origins=("https://tapelog.example.org",),
)
AT_HOME = outside.Setup(is_embedded=True, is_simulated=True, is_exposed=False)


def levels(findings: list[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


@pytest.mark.parametrize(
    ("offset", "level"),
    [
        (0, "ok"),
        (499, "ok"),
        (-500, "warning"),
        (999, "warning"),
        (1000, "error"),
        (None, "warning"),
    ],
)
def test_a_clock_that_is_off_by_a_second_is_an_error(offset: float | None, level: str) -> None:
    assert machine.clock(offset).level == level


@pytest.mark.parametrize(
    ("free", "level"), [(15, "ok"), (14, "warning"), (5, "warning"), (4, "error")]
)
def test_a_disk_is_judged_by_its_free_share(free: int, level: str) -> None:
    assert machine.disk("DATA_DIR", free, 100).level == level


def test_key_files_that_others_can_read_are_named_with_the_command_that_mends_it() -> None:
    files = [machine.KeyFile("1", 0o440, 32), machine.KeyFile("pepper", 0o400, 32)]
    [finding] = machine.key_files("/keys", files, needed=1)
    assert (finding.level, finding.remedy) == (Level.ERROR, "chmod 0400 /keys/1")


def test_key_files_as_they_should_be_are_fine() -> None:
    files = [machine.KeyFile("1", 0o400, 32), machine.KeyFile("pepper", 0o400, 32)]
    assert levels(machine.key_files("/keys", files, needed=3)) == [Level.OK]


def test_a_short_foreign_key_without_pepper_is_three_errors() -> None:
    files = [machine.KeyFile("1", 0o400, 31, is_ours=False)]
    assert levels(machine.key_files("/keys", files, needed=0)) == [Level.ERROR] * 3


@pytest.mark.parametrize(("needed", "level"), [(0, Level.WARNING), (2, Level.ERROR)])
def test_no_key_file_is_an_error_where_something_is_sealed(needed: int, level: Level) -> None:
    assert levels(machine.key_files("/keys", [], needed=needed)) == [level]


def test_a_secret_that_the_group_can_read_is_an_error() -> None:
    assert levels(machine.secret_files({"/s/django": 0o640, "/s/redis": 0o600})) == [Level.ERROR]
    assert levels(machine.secret_files({"/s/django": 0o600})) == [Level.OK]


def test_a_good_postgresql_is_fine() -> None:
    assert levels(stores.postgresql(18, GOOD, 20)) == [Level.OK]


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"fsync": "off"}, Level.ERROR),
        ({"full_page_writes": "off"}, Level.ERROR),
        ({"synchronous_commit": "off"}, Level.ERROR),
        ({"max_locks_per_transaction": "64"}, Level.WARNING),
        ({"max_connections": "50"}, Level.WARNING),
        ({"server_encoding": "SQL_ASCII"}, Level.ERROR),
    ],
)
def test_each_bad_setting_of_postgresql_is_one_finding(
    change: dict[str, str], level: Level
) -> None:
    assert levels(stores.postgresql(18, {**GOOD, **change}, 20)) == [level]


def test_an_old_postgresql_and_one_without_room_are_told() -> None:
    assert levels(stores.postgresql(15, GOOD, 20)) == [Level.ERROR]
    assert levels(stores.postgresql(18, GOOD, 140)) == [Level.WARNING]


def test_a_good_valkey_is_fine() -> None:
    assert levels(stores.valkey(VALKEY)) == [Level.OK]


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"maxmemory_policy": "allkeys-lru"}, Level.ERROR),
        ({"aof_enabled": 0}, Level.WARNING),
        ({"aof_last_write_status": "err"}, Level.ERROR),
        ({"valkey_version": "7.2.4"}, Level.ERROR),
        ({"server_name": "redis", "valkey_version": None, "redis_version": "6.2.1"}, Level.ERROR),
        ({"maxmemory": 5_500_000}, Level.ERROR),
    ],
)
def test_each_bad_setting_of_valkey_is_one_finding(change: dict[str, object], level: Level) -> None:
    assert levels(stores.valkey({**VALKEY, **change})) == [level]


def test_migrations_that_wait_are_an_error() -> None:
    assert stores.migrations([]).level == Level.OK
    assert stores.migrations(["journal.0017_x"]).level == Level.ERROR


def test_a_long_queue_names_the_worker_that_empties_it() -> None:
    [finding] = work.queues({"celery": 0, "sync": 201})
    assert finding.level == Level.ERROR
    assert "-Q sync" in finding.remedy
    assert levels(work.queues({"celery": 200})) == [Level.OK]


def test_a_share_that_nobody_holds_is_told_and_no_holder_at_all_is_an_error() -> None:
    held, free = (
        work.Lease("s:spot:0", True, "connected"),
        work.Lease("s:spot:1", False, "connected"),
    )
    assert levels(work.leases([held], followed=2)) == [Level.OK]
    assert levels(work.leases([held, free], followed=2)) == [Level.WARNING]
    assert levels(work.leases([free], followed=2)) == [Level.ERROR]
    assert levels(work.leases([], followed=0)) == [Level.OK]


def test_a_feed_that_is_away_is_an_error() -> None:
    assert levels(work.feed([work.Lease("a", True, "reconnecting")])) == [Level.ERROR]
    assert levels(work.feed([work.Lease("a", True, "connected")])) == [Level.OK]


def test_late_tapes_are_errors_and_open_gaps_warnings() -> None:
    assert levels(work.tapes({"spot:BTCUSDT": 2.0}, 0)) == [Level.OK]
    assert levels(work.tapes({"spot:BTCUSDT": 61.0}, 3)) == [Level.ERROR, Level.WARNING]
    assert levels(work.tapes({"spot:BTCUSDT": None}, 0)) == [Level.ERROR]


def test_a_ban_is_an_error() -> None:
    assert levels(work.bans({})) == [Level.OK]
    assert levels(work.bans({"https://api.example": 30.0})) == [Level.ERROR]


def test_histories_that_fail_are_warnings() -> None:
    assert levels(work.histories(0, 0, 0)) == [Level.OK]
    assert levels(work.histories(1, 1, 1)) == [Level.WARNING] * 3


def test_what_is_missing_is_a_warning_at_home_and_an_error_on_a_server() -> None:
    bare = outside.Setup(is_embedded=False, is_simulated=False, is_exposed=True)
    assert levels(outside.backups(AT_HOME, outside.Backups(None, None))) == [Level.WARNING]
    assert levels(outside.backups(bare, outside.Backups(None, None))) == [Level.ERROR]
    assert levels(outside.tls(AT_HOME)) == [Level.WARNING]
    assert levels(outside.tls(bare)) == [Level.ERROR]
    assert outside.mail(AT_HOME, "").level == Level.WARNING


def test_an_old_backup_and_one_that_was_never_tried_are_two_findings() -> None:
    assert levels(outside.backups(SERVED, outside.Backups(2.0, 10.0))) == [Level.OK]
    old = outside.backups(SERVED, outside.Backups(27.0, None))
    assert levels(old) == [Level.ERROR, Level.WARNING]


def test_a_trial_restore_of_long_ago_says_how_long() -> None:
    told = outside.backups(SERVED, outside.Backups(2.0, 93.4))
    assert [finding.text for finding in told] == ["the last trial restore was 93 days ago"]
    assert "--drill" in told[0].remedy


def test_a_backup_that_never_leaves_the_machine_is_told_where_it_should() -> None:
    kept = outside.Backups(2.0, 10.0, is_to_be_sent=True)
    assert levels(outside.backups(SERVED, kept)) == [Level.WARNING]
    late = outside.Backups(2.0, 10.0, sent_hours=50.0, is_to_be_sent=True)
    assert "50 h old" in outside.backups(SERVED, late)[0].text
    sent = outside.Backups(2.0, 10.0, sent_hours=2.0, is_to_be_sent=True)
    assert levels(outside.backups(SERVED, sent)) == [Level.OK]


def test_the_last_runs_problem_and_a_schedule_that_is_off_are_told() -> None:
    wrong = outside.backups(SERVED, outside.Backups(2.0, 10.0, problem="pg_dump: no room"))
    assert levels(wrong) == [Level.ERROR]
    assert "pg_dump: no room" in wrong[0].text
    off = outside.backups(AT_HOME, outside.Backups(None, None, is_scheduled=False))
    assert "BACKUP_HOUR" in off[0].remedy


def test_tls_behind_an_unknown_proxy_or_with_plain_origins_is_told() -> None:
    assert levels(outside.tls(SERVED)) == [Level.OK]
    unknown = outside.Setup(False, False, True, is_https=True)
    assert levels(outside.tls(unknown)) == [Level.WARNING]
    plain = outside.Setup(
        False, False, True, is_https=True, has_proxies=True, origins=("http://h",)
    )
    assert levels(outside.tls(plain)) == [Level.ERROR]


def test_a_mail_server_that_does_not_answer_is_an_error() -> None:
    assert outside.mail(SERVED, "").level == Level.OK
    assert outside.mail(SERVED, "ConnectionRefusedError").level == Level.ERROR


def test_debug_hosts_secret_and_sign_up_are_looked_at() -> None:
    assert levels(outside.settings(SERVED)) == [Level.OK]
    wrong = outside.Setup(
        False,
        False,
        True,
        is_debug=True,
        allowed_hosts=("*",),
        secret_length=10,
        sign_up="open",
    )
    assert levels(outside.settings(wrong)) == [Level.ERROR] * 3 + [Level.WARNING]


def test_an_unknown_outgoing_address_is_a_warning_unless_it_is_simulated() -> None:
    assert outside.outgoing(SERVED, "").level == Level.WARNING
    assert outside.outgoing(SERVED, "192.0.2.7").level == Level.OK
    assert outside.outgoing(AT_HOME, "").level == Level.OK


def test_every_finding_that_is_not_fine_says_what_to_do() -> None:
    findings = [
        *outside.settings(outside.Setup(False, False, True, is_debug=True)),
        *outside.tls(AT_HOME),
        *work.histories(1, 1, 1),
        *stores.valkey({**VALKEY, "aof_enabled": 0}),
    ]
    assert all(finding.remedy for finding in findings)
