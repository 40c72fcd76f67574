"""Look at the running installation, one topic after the other, and judge each.

A topic that cannot be looked at is a finding of its own and hides none of the others.
"""

import os
import shutil
import smtplib
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts import outgoing
from accounts.models import ExchangeAccount
from alerts.evaluation.system import QUEUES
from config.doctor import machine, outside, stores, work
from config.doctor.findings import Finding, error
from journal.models import Book, Sync
from lib.networks import LOOPBACK, is_within
from market.archive import bans
from market.binance import governor
from market.hot.client import hot_client
from market.models import CollectorLease, Instrument
from market.selectors.backups import standing
from market.selectors.status import tape_statuses

POSTGRES_SETTINGS = (
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "max_locks_per_transaction",
    "max_connections",
    "server_encoding",
)
SECRET_FILES = (
    "SECRET_KEY_FILE",
    "DATABASE_URL_FILE",
    "REDIS_URL_FILE",
    "METRICS_TOKEN_FILE",
    "TELEGRAM_BOT_TOKEN_FILE",
)
CONTAINERS = Path("/run/secrets")
CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
# What a store that is away says of itself.
AWAY = {
    DatabaseError: "set DATABASE_URL, or start PostgreSQL (embedded: make run)",
    redis.RedisError: "set REDIS_URL, or start Valkey (embedded: make run)",
    OSError: "look at the path or address and who may use it",
}


def examine() -> list[Finding]:
    """Every finding, in the order of the topics."""
    setup = setup_of_settings()
    topics: dict[str, Callable[[], list[Finding]]] = {
        "settings": partial(outside.settings, setup),
        "clock": _clock,
        "disk": _disk,
        "keys": _keys,
        "secrets": _secrets,
        "postgresql": _postgresql,
        "valkey": _valkey,
        "migrations": _migrations,
        "queues": _queues,
        "leases": _leases,
        "tapes": _tapes,
        "ban": _bans,
        "histories": _histories,
        "backup": partial(_backups, setup),
        "outgoing": lambda: [outside.outgoing(setup, outgoing.address())],
        "mail": lambda: [outside.mail(setup, _mail_problem(setup))],
        "tls": partial(outside.tls, setup),
    }
    return [finding for topic, look in topics.items() for finding in _guarded(topic, look)]


def _guarded(topic: str, look: Callable[[], list[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except (DatabaseError, redis.RedisError, OSError) as problem:
        remedy = next(text for kind, text in AWAY.items() if isinstance(problem, kind))
        # the first line only: a database's second one may tell more than anybody needs
        reason = str(problem).strip().partition("\n")[0][:160]
        yield error(topic, f"cannot be looked at: {type(problem).__name__} {reason}", remedy)


def setup_of_settings() -> outside.Setup:
    is_local = is_within(settings.HOST, LOOPBACK) or settings.HOST == "localhost"
    return outside.Setup(
        is_embedded=settings.IS_EMBEDDED,
        is_simulated=settings.BINANCE == "simulator",
        is_exposed=not is_local or bool(settings.CSRF_TRUSTED_ORIGINS),
        is_debug=settings.DEBUG,
        is_https=settings.SESSION_COOKIE_SECURE,
        has_proxies=bool(settings.TRUSTED_PROXIES or settings.TRUSTED_UNIX),
        has_mail=settings.HAS_MAIL,
        allowed_hosts=tuple(settings.ALLOWED_HOSTS),
        origins=tuple(settings.CSRF_TRUSTED_ORIGINS),
        secret_length=len(settings.SECRET_KEY),
        sign_up=settings.SIGN_UP,
    )


def _clock() -> list[Finding]:
    told: Any = hot_client().get(governor.clock_key(settings.BINANCE_SPOT_API_URL))
    return [machine.clock(None if told is None else float(told))]


def _disk() -> list[Finding]:
    findings = []
    seen: set[int] = set()
    for name in ("DATA_DIR", "ARCHIVE_DIR", "MEDIA_ROOT", "BACKUP_DIR"):
        folder = _existing(Path(getattr(settings, name)))
        device = folder.stat().st_dev
        if device not in seen:
            seen.add(device)
            usage = shutil.disk_usage(folder)
            findings.append(machine.disk(name, usage.free, usage.total))
    return findings


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return folder if folder.exists() else _existing(folder.parent)


def _keys() -> list[Finding]:
    folder: Path = settings.KEK_DIR
    files = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name == "pepper" or path.name.isdigit():
            state = path.stat()
            is_ours = state.st_uid == os.geteuid()
            files.append(machine.KeyFile(path.name, state.st_mode & 0o777, state.st_size, is_ours))
    needed = ExchangeAccount.objects.exclude(last_four="").count()
    return machine.key_files(str(folder), files, needed=needed)


def _secrets() -> list[Finding]:
    folder = settings.DATA_DIR / "secrets"
    paths = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    named = [Path(os.environ[name]) for name in SECRET_FILES if os.environ.get(name)]
    # below /run/secrets the container says who reads them
    paths += [path for path in named if path.is_file() and not path.is_relative_to(CONTAINERS)]
    return machine.secret_files({str(path): path.stat().st_mode & 0o777 for path in paths})


def _postgresql() -> list[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(POSTGRES_SETTINGS)]
        )
        told = dict(cursor.fetchall())
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        version = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        connections = cursor.fetchone()[0]
    return stores.postgresql(version, told, connections)


def _valkey() -> list[Finding]:
    info: Any = hot_client().info()
    return stores.valkey(info)


def _migrations() -> list[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [stores.migrations([str(migration) for migration, _ in plan])]


def _queues() -> list[Finding]:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    client = hot_client()
    lengths: dict[str, Any] = {name: client.llen(f"{prefix}{name}") for name in QUEUES}
    return work.queues(lengths)


def _leases() -> list[Finding]:
    now = timezone.now()
    held = [
        work.Lease(lease.share, bool(lease.holder) and lease.until > now, lease.state)
        for lease in CollectorLease.objects.filter(share__startswith=f"{settings.VENUE}:")
    ]
    followed = Instrument.objects.filter(venue=settings.VENUE, is_followed=True).count()
    return [*work.leases(held, followed=followed), *work.feed(held)]


def _tapes() -> list[Finding]:
    followed = list(Instrument.objects.filter(venue=settings.VENUE, is_followed=True))
    statuses = [status for status in tape_statuses(followed) if not status.not_traded]
    lags = {f"{s.instrument.market}:{s.instrument.symbol}": s.lag_s for s in statuses}
    return work.tapes(lags, sum(status.open_gaps for status in statuses))


def _bans() -> list[Finding]:
    now = timezone.now()
    left = {ban.host: (ban.until - now).total_seconds() for ban in bans.standing()}
    return work.bans({host: seconds for host, seconds in left.items() if seconds > 0})


def _histories() -> list[Finding]:
    accounts = ExchangeAccount.objects.here()
    return work.histories(
        failed=Sync.objects.filter(account__in=accounts, state=Sync.State.FAILED).count(),
        broken_keys=accounts.filter(state=ExchangeAccount.State.BROKEN).count(),
        parked_books=Book.objects.filter(account__in=accounts).exclude(problem="").count(),
    )


def _backups(setup: outside.Setup) -> list[Finding]:
    now, seen = time.time(), standing()
    ages = [None if at is None else now - at for at in (seen.made_at, seen.tried_at, seen.sent_at)]
    made, tried, sent = ages
    return outside.backups(
        setup,
        outside.Backups(
            age_hours=None if made is None else made / 3600,
            drill_days=None if tried is None else tried / 86_400,
            sent_hours=None if sent is None else sent / 3600,
            is_scheduled=settings.BACKUP_HOUR >= 0,
            is_to_be_sent=bool(settings.BACKUP_COMMAND),
            problem=seen.problem,
        ),
    )


def _mail_problem(setup: outside.Setup) -> str:
    """What the server says when it is called; nothing is sent."""
    if not setup.has_mail:
        return ""
    try:
        caller = get_connection()
        caller.open()
        caller.close()
    except (OSError, smtplib.SMTPException, ImproperlyConfigured) as problem:
        return f"{type(problem).__name__} {problem}"[:160]
    return ""
