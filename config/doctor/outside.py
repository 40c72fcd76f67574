"""Pure: settings, backups, the address that the exchange sees, mail and TLS."""

from dataclasses import dataclass

from config.doctor.findings import Finding, Level, error, fine, warning

OLD_HOURS = 26.0
DRILL_DAYS = 92.0


@dataclass(frozen=True)
class Setup:
    """`is_exposed`: it listens on more than this machine, or a public address leads to it."""

    is_embedded: bool
    is_simulated: bool
    is_exposed: bool
    is_debug: bool = False
    is_https: bool = False
    has_proxies: bool = False
    has_mail: bool = False
    allowed_hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    secret_length: int = 64
    sign_up: str = "closed"

    @property
    def serious(self) -> Level:
        """In the embedded mode it is for its owner to know, elsewhere it is wrong."""
        return Level.WARNING if self.is_embedded else Level.ERROR


def settings(setup: Setup) -> list[Finding]:
    findings = []
    if setup.is_debug:
        level = Level.WARNING if setup.is_embedded and not setup.is_exposed else Level.ERROR
        text = "DEBUG is on: error pages show code and settings"
        findings.append(Finding(level, "settings", text, "set DEBUG=false"))
    if "*" in setup.allowed_hosts:
        remedy = "name the hosts that people use in ALLOWED_HOSTS"
        findings.append(error("settings", "ALLOWED_HOSTS lets every host in", remedy))
    if setup.secret_length < 32:
        remedy = "set a random SECRET_KEY of 50 characters; everybody signs in again"
        findings.append(error("settings", "SECRET_KEY is short", remedy))
    if setup.is_exposed and setup.sign_up == "open":
        remedy = "set SIGN_UP=invitation or closed"
        findings.append(warning("settings", "strangers may sign up", remedy))
    return findings or [fine("settings", "as they should be")]


def tls(setup: Setup) -> list[Finding]:
    if setup.is_https:
        findings = []
        if not setup.has_proxies:
            text = "HTTPS is on, and no proxy is believed: limits and logs see the proxy's address"
            findings.append(warning("tls", text, "set TRUSTED_PROXIES to the proxy's network"))
        if plain := [origin for origin in setup.origins if not origin.startswith("https://")]:
            text = f"CSRF_TRUSTED_ORIGINS names {', '.join(plain)}"
            findings.append(error("tls", text, "name https:// origins only"))
        return findings or [fine("tls", "cookies are secure, the proxy is known")]
    remedy = "end TLS in a proxy, set HTTPS=true, TRUSTED_PROXIES and CSRF_TRUSTED_ORIGINS"
    if setup.is_exposed:
        text = "passwords travel in the clear: HTTPS is off and other machines can reach it"
        return [Finding(setup.serious, "tls", text, remedy)]
    return [Finding(setup.serious, "tls", "HTTPS is off", remedy)]


def mail(setup: Setup, problem: str) -> Finding:
    """`problem`: what the server said when it was called; empty where it answered."""
    if not setup.has_mail:
        remedy = "set EMAIL_ENABLED=true, EMAIL_HOST and DEFAULT_FROM_EMAIL"
        text = "mail is off: no reset of a password, no warning of a new sign-in"
        return warning("mail", text, remedy)
    if problem:
        return error("mail", f"the mail server does not answer: {problem}", "look at EMAIL_HOST")
    return fine("mail", "the mail server answers")


@dataclass(frozen=True)
class Backups:
    """Ages of the newest backup, of the newest trial restore and of the newest one that was taken
    away; None: there is none. `problem`: of the last run."""

    age_hours: float | None
    drill_days: float | None
    sent_hours: float | None = None
    is_scheduled: bool = True
    is_to_be_sent: bool = False
    problem: str = ""


def backups(setup: Setup, seen: Backups) -> list[Finding]:
    remedy = "look at the queue `retention`, or run manage.py backup; keep the key files apart"
    if not seen.is_scheduled:
        remedy = "set BACKUP_HOUR, or run manage.py backup every day; keep the key files apart"
    findings = []
    if seen.problem:
        how = "mend what it says, then run manage.py backup or manage.py doctor --drill"
        text = f"the last run went wrong: {seen.problem}"
        findings.append(Finding(setup.serious, "backup", text, how))
    if seen.age_hours is None:
        missing = Finding(setup.serious, "backup", "there is no backup in BACKUP_DIR", remedy)
        return [*findings, missing]
    if seen.age_hours > OLD_HOURS:
        text = f"the newest is {seen.age_hours:.0f} h old"
        findings.append(Finding(setup.serious, "backup", text, remedy))
    findings += _away(seen)
    how = "manage.py doctor --drill (docs/operating.md: The drill), or set BACKUP_DRILL_DAYS"
    if seen.drill_days is None:
        findings.append(warning("backup", "no backup was ever restored for a try", how))
    elif seen.drill_days > DRILL_DAYS:
        text = f"the last trial restore was {seen.drill_days:.0f} days ago"
        findings.append(warning("backup", text, how))
    return findings or [fine("backup", _all_well(seen))]


def _away(seen: Backups) -> list[Finding]:
    is_late = seen.sent_hours is None or seen.sent_hours > OLD_HOURS
    if not seen.is_to_be_sent or not is_late:
        return []
    text = "no backup was taken away from this machine"
    if seen.sent_hours is not None:
        text = f"the newest that was taken away is {seen.sent_hours:.0f} h old"
    return [warning("backup", text, "run BACKUP_COMMAND by hand and look at what it says")]


def _all_well(seen: Backups) -> str:
    away = "" if seen.sent_hours is None else f", {seen.sent_hours:.0f} h the one taken away"
    return (
        f"the newest is {seen.age_hours:.0f} h old{away}; "
        f"the last trial restore was {seen.drill_days:.0f} days ago"
    )


def outgoing(setup: Setup, address: str) -> Finding:
    if address:
        return fine("outgoing", f"the exchange sees {address}")
    if setup.is_simulated:
        return fine("outgoing", "the simulator asks for no address")
    text = "this machine cannot tell which address the exchange sees"
    return warning("outgoing", text, "set OUTGOING_ADDRESS, so that users can bind keys to it")
