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


def backups(setup: Setup, age_hours: float | None, drill_days: float | None) -> list[Finding]:
    """Ages of the newest backup in BACKUP_DIR, and of the newest that was restored for a try;
    None: there is none."""
    remedy = "run manage.py backup --keep 14 every day, and keep the key files apart"
    if age_hours is None:
        return [Finding(setup.serious, "backup", "there is no backup in BACKUP_DIR", remedy)]
    findings = []
    if age_hours > OLD_HOURS:
        text = f"the newest is {age_hours:.0f} h old"
        findings.append(Finding(setup.serious, "backup", text, remedy))
    if drill_days is None or drill_days > DRILL_DAYS:
        text = "no backup was restored for a try within three months"
        how = "make restore FILE=… with another DATA_DIR (docs/operating.md: The drill)"
        findings.append(warning("backup", text, how))
    return findings or [fine("backup", f"the newest is {age_hours:.0f} h old, and one was tried")]


def outgoing(setup: Setup, address: str) -> Finding:
    if address:
        return fine("outgoing", f"the exchange sees {address}")
    if setup.is_simulated:
        return fine("outgoing", "the simulator asks for no address")
    text = "this machine cannot tell which address the exchange sees"
    return warning("outgoing", text, "set OUTGOING_ADDRESS, so that users can bind keys to it")
