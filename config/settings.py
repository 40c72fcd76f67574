"""Settings, in one file, read top to bottom. Each variable is explained in .env.example."""

import os
from pathlib import Path
from typing import Any

import structlog

from config import env
from config.logs import steps
from launcher.places import Places

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things are ---------------------------------------------------------------------------

DATA_DIR = env.folder("DATA_DIR", BASE_DIR / "var")
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, 1, 65535)
embedded = Places(DATA_DIR)
WEB_PROCESSES = env.integer("WEB_PROCESSES", min(2, os.cpu_count() or 1), 1, 64)
# The launcher makes these secrets at the first start; an installation with its own servers and
# without the launcher has to set SECRET_KEY itself.
SECRET_KEY = env.text("SECRET_KEY", embedded.secret("django"))
DEBUG = env.boolean("DEBUG", False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

# Where people find this installation: what links in mails begin with.
PUBLIC_URL = env.address(
    "PUBLIC_URL",
    CSRF_TRUSTED_ORIGINS[0]
    if CSRF_TRUSTED_ORIGINS
    else f"http://{'localhost' if HOST in {'0.0.0.0', '::'} else HOST}:{PORT}",  # noqa: S104
    ("http", "https"),
)

# --- The exchange -------------------------------------------------------------------------------

BINANCE = env.choice("BINANCE", "simulator", ["simulator", "testnet", "live"])
# The venue is part of every key, row and answer: data of two venues never mix.
VENUE = "binance" if BINANCE == "live" else BINANCE
SIMULATOR_PORT = env.integer("SIMULATOR_PORT", PORT + 1, 1, 65535)
_simulator = f"127.0.0.1:{SIMULATOR_PORT}"
_hosts = {
    "simulator": (
        f"http://{_simulator}",
        f"ws://{_simulator}",
        f"ws://{_simulator}",
        f"http://{_simulator}",
        f"ws://{_simulator}",
    ),
    "testnet": (
        "https://testnet.binance.vision",
        "wss://stream.testnet.binance.vision",
        "wss://ws-api.testnet.binance.vision",
        "https://demo-fapi.binance.com",
        "wss://fstream.binancefuture.com",
    ),
    "live": (
        "https://api.binance.com",
        "wss://stream.binance.com:9443",
        "wss://ws-api.binance.com:443",
        "https://fapi.binance.com",
        "wss://fstream.binance.com",
    ),
}[BINANCE]
_http, _ws = ("http", "https"), ("ws", "wss")
BINANCE_SPOT_API_URL = env.address("BINANCE_SPOT_API_URL", _hosts[0], _http)
BINANCE_SPOT_STREAM_URL = env.address("BINANCE_SPOT_STREAM_URL", _hosts[1], _ws)
BINANCE_SPOT_WS_API_URL = env.address("BINANCE_SPOT_WS_API_URL", _hosts[2], _ws)
BINANCE_FUTURES_API_URL = env.address("BINANCE_FUTURES_API_URL", _hosts[3], _http)
BINANCE_FUTURES_STREAM_URL = env.address("BINANCE_FUTURES_STREAM_URL", _hosts[4], _ws)
# Where spot's market data are served too, without accounts: asked while the exchange's wall stands
# (HTTP 451, 403). The simulator serves them under its other name.
_data_hosts = {
    "simulator": (f"http://localhost:{SIMULATOR_PORT}", f"ws://localhost:{SIMULATOR_PORT}"),
    "testnet": ("", ""),
    "live": ("https://data-api.binance.vision", "wss://data-stream.binance.vision"),
}[BINANCE]
BINANCE_SPOT_DATA_API_URL = env.address_or_none("BINANCE_SPOT_DATA_API_URL", _data_hosts[0], _http)
BINANCE_SPOT_DATA_STREAM_URL = env.address_or_none(
    "BINANCE_SPOT_DATA_STREAM_URL", _data_hosts[1], _ws
)
# Where past trades are imported from (market/vision): the simulator has an archive of its own.
_archive = f"http://{_simulator}" if BINANCE == "simulator" else "https://data.binance.vision"
BINANCE_VISION_URL = env.address("BINANCE_VISION_URL", _archive, _http)

# From where we call Binance, for the page that says where to bind a key to; empty: as seen here.
OUTGOING_ADDRESS = env.text("OUTGOING_ADDRESS", "")

# Followed from the first start on; later the instruments' rows decide. A plain symbol is the spot
# market and the USD-M future of that name, `spot:` or `usdm:` in front chooses one.
MARKET_SYMBOLS = env.symbols("MARKET_SYMBOLS", "BTCUSDT,ETHUSDT,SOLUSDT")
# Share of Binance's request weight that we allow ourselves, in percent.
WEIGHT_BUDGET_PCT = env.integer("WEIGHT_BUDGET_PCT", 80, 1, 100)
# Fills up to this age get the market around them fetched by trade ids; 0: none.
FLOW_BACKFILL_DAYS = env.integer("FLOW_BACKFILL_DAYS", 3650, 0)
FLOW_UNIT = env.choice("FLOW_UNIT", "order", ["order", "trade"])
# Instruments that are followed at most, all users' watch-lists together.
FOLLOW_LIMIT = env.integer("FOLLOW_LIMIT", 200, 1)
# Instruments that one collector keeps before there is another share; a second collector a share.
COLLECTOR_SHARE_SYMBOLS = env.integer("COLLECTOR_SHARE_SYMBOLS", 100, 1)
COLLECTOR_STANDBY = env.boolean("COLLECTOR_STANDBY", False)
# How long a bar stays in Redis once it is verified in PostgreSQL.
HOT_SECONDS_TTL = env.integer("HOT_SECONDS_TTL", 2 * 3600, 300)
HOT_MINUTES_TTL = env.integer("HOT_MINUTES_TTL", 48 * 3600, 3600)

# Days for which 1 s bars stay in PostgreSQL where no retention says otherwise; 0: for ever. What
# goes is written as Parquet first.
RETENTION_SECONDS_DAYS = env.integer("RETENTION_SECONDS_DAYS", 90, 0)
# Days for which the record of a minute's audit that agreed is kept; one that did not stays longer.
RETENTION_AUDITS_DAYS = env.integer("RETENTION_AUDITS_DAYS", 30, 2)
# Parquet files of what retention took out of PostgreSQL.
ARCHIVE_DIR = env.folder("ARCHIVE_DIR", DATA_DIR / "archive")

# Key-encryption keys of the sealed credentials: files of mode 0400, never in a backup.
KEK_DIR = env.folder("KEK_DIR", DATA_DIR / "keys")

# Where `manage.py backup` without a name puts backups, and where `doctor` looks for them.
BACKUP_DIR = env.folder("BACKUP_DIR", DATA_DIR / "backups")
# The hour (UTC) after which a backup is made each day, -1: never; how many of them stay.
BACKUP_HOUR = env.integer("BACKUP_HOUR", 3, -1, 23)
BACKUP_KEEP = env.integer("BACKUP_KEEP", 14, 1, 10_000)
# What takes each one away from this machine, without a shell; {file} and {folder} are names.
BACKUP_COMMAND = env.command("BACKUP_COMMAND")
# Days after which the newest one is restored for a try; 0: never.
BACKUP_DRILL_DAYS = env.integer("BACKUP_DRILL_DAYS", 30, 0, 3650)

# --- Alerts -------------------------------------------------------------------------------------

# Inner networks that webhooks may go to all the same, http included; empty: none.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS")
ALERTS_PER_USER = env.integer("ALERTS_PER_USER", 200, 1)
# The installation's own bot; without one each user brings a bot.
TELEGRAM_BOT_TOKEN = env.text("TELEGRAM_BOT_TOKEN", "")
TELEGRAM_API_URL = env.address("TELEGRAM_API_URL", "https://api.telegram.org", _http)
# Names of the users who may reach anything that apprise speaks, inner addresses too; `*`: all.
APPRISE_USERS = env.words("APPRISE_USERS")

# --- Apps ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "config",
    "market",
    "accounts",
    "journal",
    "alerts",
    "trading",
]

MIDDLEWARE = [
    "config.middleware.measuring.Measured",
    "config.middleware.headers.PrivateHeaders",
    "config.middleware.remedies.HelpLinks",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.static_files.StaticFiles",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.odd_input.PlainInput",
    "config.middleware.busy.Busy",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "accounts.middleware.access.AccessMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [("django.template.loaders.cached.Loader", ["config.templates.Unindented"])],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.venue",
                "journal.context.preferences",
                "alerts.context.unread",
            ],
        },
    },
]

# --- PostgreSQL and Redis -----------------------------------------------------------------------

# One for each thread of a worker; none gets old, since the server holds what it has looked up.
POOL = {"min_size": 0, "max_size": 10, "timeout": 5, "max_idle": 60, "max_lifetime": 600}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.database("DATABASE_URL", embedded.database_url),
        # Under ASGI a connection that outlives its request leaks; the pool checks before it lends.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": POOL if env.boolean("DATABASE_POOL", True) else False,
            "connect_timeout": 5,
            "options": "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=30000",
        },
    }
}
REDIS_URL = env.redis_url("REDIS_URL", embedded.redis_url)

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "tl:cache",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
# Hints only (sign-out, say): every state goes through the live hub (market/live).
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "tl:channels"},
    }
}

# --- Celery -------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.celery_broker(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": "tl:celery:",
    "visibility_timeout": 900,
    # kombu's default is none: a half-open connection would stop a worker for ever
    "socket_timeout": 20,
    "socket_connect_timeout": 5,
    "socket_keepalive": not REDIS_URL.startswith("unix"),
    "health_check_interval": 10,
    "retry_on_timeout": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of Redis
# no task is acknowledged late, and a collector goes on without the broker
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_ROUTES = {
    # may take hours, and are never two of a kind at once
    "market.import_vision": {"queue": "imports"},
    "market.retain": {"queue": "retention"},
    "market.back_up": {"queue": "retention"},
    "market.collect": {"queue": "collectors"},
    # events, ledgers and alerts compute: in a process beside the tapes, not in theirs
    "journal.listen": {"queue": "listeners"},
    "alerts.evaluate": {"queue": "listeners"},
    # hours a history, four at once: nobody else waits for them
    "journal.synchronise": {"queue": "sync"},
    "journal.look_at_upload": {"queue": "upkeep"},
    "journal.take_upload": {"queue": "upkeep"},
    "journal.undo_upload": {"queue": "upkeep"},
    # may take minutes to hours: never in the way of those that watch over others. Stamping, half a
    # minute at most, is none of them: it has another process than the planner that waits for it
    "journal.settle_prices": {"queue": "upkeep"},
    "journal.demo": {"queue": "upkeep"},
    "accounts.export": {"queue": "upkeep"},
    "accounts.erase": {"queue": "upkeep"},
    "accounts.remove_account": {"queue": "upkeep"},
    "journal.plan_flow": {"queue": "upkeep"},
    "journal.compute_insight": {"queue": "upkeep"},
}
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "supervise collectors": {
        "task": "market.supervise_collectors",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    "roll up hours": {
        "task": "market.roll_up",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "look at exchange accounts": {
        "task": "accounts.check_accounts",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "tidy what accounts leave behind": {
        "task": "accounts.tidy",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "read exchange accounts' history": {
        "task": "journal.supervise",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "stamp order flow on fills": {
        "task": "journal.stamp",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "connect demo accounts": {
        "task": "journal.demo",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "order flow for every fill": {
        "task": "journal.plan_flow",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "follow what is held or watched": {
        "task": "journal.follow_wanted",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "remember what was held today": {
        "task": "journal.snapshot",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "settle prices of open minutes": {
        "task": "journal.settle_prices",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "refresh what the exchange lists": {
        "task": "market.refresh_listings",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "first pictures of newly followed markets": {
        "task": "market.prepare_charts",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    "read what futures have settled": {
        "task": "market.read_funding",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "watch what alerts wait for": {
        "task": "alerts.supervise",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    "deliver alerts": {
        "task": "alerts.deliver",
        "schedule": 1.0,
        "options": {"expires": 1},
    },
    "imports that wait": {
        "task": "market.import_vision",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "keep or drop old bars": {
        "task": "market.retain",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "back up what is due": {
        "task": "market.back_up",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "find out what became of orders": {
        "task": "trading.resolve",
        "schedule": 1.0,
        "options": {"expires": 1},
    },
    "follow orders to their trades": {
        "task": "trading.follow",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    "prepare partitions": {
        "task": "market.prepare_partitions",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}

# --- Who may come in ----------------------------------------------------------------------------

# Proxies whose `X-Forwarded-For` and `-Proto` are believed, as CIDR networks; `unix` for one that
# comes over a Unix socket. Every limit, list of networks and log takes the client's address so.
TRUSTED_PROXIES, TRUSTED_UNIX = env.proxies("TRUSTED_PROXIES")
# Networks that may use this server at all, and its admin and staff pages; none: all.
ALLOWED_NETWORKS = env.networks("ALLOWED_NETWORKS")
ADMIN_NETWORKS = env.networks("ADMIN_NETWORKS")
# Who else than this machine itself may read /metrics.
METRICS_NETWORKS = env.networks("METRICS_NETWORKS")
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
# Whether strangers may sign up: open, by invitation (`manage.py invite`), or closed.
IS_EMBEDDED = not (os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"))
SIGN_UP = env.choice(
    "SIGN_UP", "open" if IS_EMBEDDED else "closed", ["open", "invitation", "closed"]
)
# Which tables lead to a user.
PRIVACY = "config.privacy"
TOKENS_PER_USER = env.integer("TOKENS_PER_USER", 20, 1)
ACCOUNTS_PER_USER = env.integer("ACCOUNTS_PER_USER", 10, 1)
# Requests a minute by class of door, for each user; for each address where nobody is signed in.
RATES = {
    "read": env.integer("RATE_READ", 1200, 1),
    "heavy": env.integer("RATE_HEAVY", 120, 1),
    "write": env.integer("RATE_WRITE", 300, 1),
    "trade": env.integer("RATE_TRADE", 60, 1),
    "sign-in": env.integer("RATE_SIGN_IN", 30, 1),
}
# What a request may bring before anything reads it: bytes, bytes with files, and seconds.
BODY_LIMIT_BYTES = env.integer("BODY_LIMIT_BYTES", 2_500_000, 1000)
UPLOAD_LIMIT_BYTES = env.integer("UPLOAD_LIMIT_BYTES", 21_000_000, 1000)
BODY_SECONDS = env.integer("BODY_SECONDS", 60, 1)

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.SignInBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.passwords.EndsSignIns"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
HAS_MAIL = env.boolean("EMAIL_ENABLED", False)
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
# Where mail is on, an address counts only when its owner has said so.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if HAS_MAIL else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Tapelog] "
ACCOUNT_MAX_EMAIL_ADDRESSES = 2
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # this session stays; the others end (accounts.adapters)
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    # by name and address together (accounts.adapters): a stranger locks nobody else out
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
}
MFA_ADAPTER = "accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Tapelog"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = not HAS_MAIL
# Browsers count http://localhost as secure.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_EMBEDDED
USERSESSIONS_TRACK_ACTIVITY = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.boolean("HTTPS", False)
# Where TRUSTED_PROXIES tell which requests came by TLS, the others are sent there; not probes.
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE and bool(TRUSTED_PROXIES)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if SESSION_COOKIE_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SESSION_COOKIE_SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    },
}

DEFAULT_EXCEPTION_REPORTER_FILTER = "config.reports.QuietFilter"

# --- REST ---------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # `format` is ours: csv or json of a list
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.PersonalTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "accounts.api.permissions.HasScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.Described",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttles.ByClassOfDoor"],
    "DEFAULT_PARSER_CLASSES": [
        "config.api_errors.PlainJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "EXCEPTION_HANDLER": "config.api_errors.answer",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tapelog",
    "DESCRIPTION": "Exact order flow of Binance's markets, and the journal that stands on it.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["config.openapi.refusals"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": False},  # else links within buttons
}

# --- Live sockets -------------------------------------------------------------------------------

LIVE_SOCKETS_PER_USER = env.integer("LIVE_SOCKETS_PER_USER", 10, 1)
LIVE_SOCKETS_PER_IP = env.integer("LIVE_SOCKETS_PER_IP", 50, 1)
LIVE_SOCKETS_PER_PROCESS = env.integer("LIVE_SOCKETS_PER_PROCESS", 2000, 1)
LIVE_TOPICS_PER_SOCKET = env.integer("LIVE_TOPICS_PER_SOCKET", 200, 1)
LIVE_MESSAGES_PER_10S = env.integer("LIVE_MESSAGES_PER_10S", 100, 1)
LIVE_FRAME_BYTES = env.integer("LIVE_FRAME_BYTES", 16_384, 256)

# --- Static files, time, mail -------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [
    BASE_DIR / "static",
    (
        "vendor/lightweight-charts",
        BASE_DIR / "node_modules" / "lightweight-charts" / "dist",
    ),
    ("vendor/inter", BASE_DIR / "node_modules" / "@fontsource-variable" / "inter" / "files"),
]
# Names with a hash are kept by browsers for good (`immutable`), plain ones for a minute.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_names.HashedNames"},
}
WHITENOISE_MAX_AGE = 60
# Files that the app makes, exports say; nobody else on the machine reads them.
MEDIA_ROOT = env.folder("MEDIA_ROOT", DATA_DIR / "files")
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SESSION_COOKIE_SECURE
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if HAS_MAIL
    # no reset link stands in a log outside the embedded mode
    else "django.core.mail.backends.console.EmailBackend"
    if IS_EMBEDDED
    else "accounts.mail.SubjectsOnly"
)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "tapelog@localhost")

# --- Logs: constant event texts, values as fields, never keys or secrets ------------------------

LOG_FORMAT = env.choice("LOG_FORMAT", "console", ["console", "json"])
LOG_LEVEL = env.choice("LOG_LEVEL", "info", ["debug", "info", "warning", "error"]).upper()
_log_steps = steps.first(LOG_FORMAT)
structlog.configure(
    processors=[*_log_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _log_steps,
            "processors": steps.last(LOG_FORMAT),
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "celery": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "picows": {"level": "WARNING"},
        "websockets": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}
