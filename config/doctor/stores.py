"""Pure: versions and settings of PostgreSQL and Valkey, and what they hold."""

from collections.abc import Mapping, Sequence

from config.doctor.findings import Finding, error, fine, warning

LEAST_POSTGRES, TRIED_POSTGRES = 16, 18
LEAST_VALKEY = {"valkey": 8, "redis": 7}
LEAST_LOCKS = 256
LEAST_CONNECTIONS = 100
CONNECTIONS_SHARE = 0.85
MEMORY_SHARE = 0.85
ON = {"on", "local", "remote_write", "remote_apply"}


def postgresql(version: int, settings: Mapping[str, str], connections: int) -> list[Finding]:
    """`version`: the major one; `settings`: of pg_settings; `connections`: open just now."""
    findings = []
    if version < LEAST_POSTGRES:
        remedy = f"move to PostgreSQL {TRIED_POSTGRES} by backup and restore (UPGRADING.md)"
        was = f"expected PostgreSQL {LEAST_POSTGRES} or newer, was {version}"
        findings.append(error("postgresql", was, remedy))
    for name, consequence in (
        ("fsync", "a power cut can destroy the database"),
        ("full_page_writes", "a power cut can destroy pages"),
    ):
        if settings.get(name) == "off":
            findings.append(
                error("postgresql", f"{name} is off: {consequence}", f"set {name} = on, restart it")
            )
    if settings.get("synchronous_commit", "on") not in ON:
        findings.append(
            error(
                "postgresql",
                "synchronous_commit is off: an order that was sent may be forgotten",
                "set synchronous_commit = on",
            )
        )
    if int(settings.get("max_locks_per_transaction", "64")) < LEAST_LOCKS:
        text = f"max_locks_per_transaction is {settings.get('max_locks_per_transaction')}"
        remedy = "set max_locks_per_transaction = 1024, restart it: partitions of years need locks"
        findings.append(warning("postgresql", text, remedy))
    most = int(settings.get("max_connections", "100"))
    if most < LEAST_CONNECTIONS:
        remedy = "set max_connections = 150: each process keeps up to 8"
        findings.append(warning("postgresql", f"max_connections is {most}", remedy))
    if connections > CONNECTIONS_SHARE * most:
        remedy = "raise max_connections, or run fewer processes"
        findings.append(
            warning("postgresql", f"{connections} of {most} connections are open", remedy)
        )
    if settings.get("server_encoding", "UTF8") != "UTF8":
        findings.append(
            error("postgresql", "the database is not in UTF8", "make it anew in UTF8 and restore")
        )
    return findings or [fine("postgresql", f"version {version}, {connections} connections")]


def valkey(info: Mapping[str, object]) -> list[Finding]:
    """`info`: of INFO, and the settings `appendonly` and `maxmemory_policy`."""
    kind = str(info.get("server_name") or "redis")
    version = str(info.get("valkey_version") or info.get("redis_version") or "0")
    findings = []
    least = LEAST_VALKEY.get(kind, LEAST_VALKEY["redis"])
    if int(version.split(".")[0]) < least:
        text = f"expected {kind} {least} or newer, was {version}"
        findings.append(error("valkey", text, "upgrade it; Valkey 9 is what is tested"))
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        text = f"maxmemory-policy is {policy}: bars may vanish before they are in PostgreSQL"
        findings.append(error("valkey", text, "set maxmemory-policy noeviction"))
    if not info.get("aof_enabled"):
        text = "the append-only file is off: a restart forgets tapes, bans and queues"
        findings.append(warning("valkey", text, "set appendonly yes"))
    if str(info.get("aof_last_write_status", "ok")) != "ok":
        text = "the append-only file could not be written"
        findings.append(error("valkey", text, "look at its log and its disk"))
    most, used = int(str(info.get("maxmemory") or 0)), int(str(info.get("used_memory") or 0))
    if most and used > MEMORY_SHARE * most:
        text = f"{used / 1e6:.0f} MB of {most / 1e6:.0f} MB are used"
        remedy = "raise maxmemory, or lower HOT_MINUTES_TTL and the number of followed markets"
        findings.append(error("valkey", text, remedy))
    return findings or [fine("valkey", f"{kind} {version}, {used / 1e6:.0f} MB")]


def migrations(waiting: Sequence[str]) -> Finding:
    if not waiting:
        return fine("migrations", "all have been run")
    text = f"{len(waiting)} wait: {', '.join(waiting[:5])}"
    return error("migrations", text, "back up, then manage.py migrate")
