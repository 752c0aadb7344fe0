"""The portal's settings, read from top to bottom.

Whatever differs between installations is an environment variable, explained in .env.example.
"""

import os
from datetime import timedelta
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, EnvError
from marshmallow.validate import OneOf, Range, Regexp

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=False)
env.read_env(BASE_DIR / ".env", recurse=False)

# What kind of run this is
DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("HTTPS", default=not DEBUG)
# Whether browsers may be told that every name below the portal's own is on HTTPS too
HSTS_WHOLE_DOMAIN = env.bool("HSTS_WHOLE_DOMAIN", default=True)
SECRET_KEY = env.str("SECRET_KEY", default="")
if DEBUG and not SECRET_KEY:
    SECRET_KEY = "only-for-debugging-on-this-machine"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
FORCE_SCRIPT_NAME = env.str(
    "SCRIPT_NAME", default="", validate=Regexp("/|$", error="Begin it with a slash: /baoshan.")
)
# A demonstration with invented figures, which never touches the real database or its files
DEMO = env.bool("DEMO", default=False)
DATABASE_FILE = BASE_DIR / ("var/demo.sqlite3" if DEMO else "var/portal.sqlite3")
DATABASES = {"default": env.dj_db_url("DATABASE_URL", default=f"sqlite:///{DATABASE_FILE}")}
# PostgreSQL's own replica of it, for what the public reads, and how old that may be
REPLICA_URL = env.str("REPLICA_URL", default="", validate=Regexp("postgres(ql)?://|$"))
REPLICA_LAG_SECONDS = env.int("REPLICA_LAG_SECONDS", default=10, validate=Range(min=0))
# Evidence files: kept out of the served folders and handed out by the admin alone
MEDIA_ROOT = env.path("MEDIA_ROOT", default=BASE_DIR / ("var/demo-files" if DEMO else "var/files"))
MEDIA_URL = f"{FORCE_SCRIPT_NAME or ''}/admin/"
# Static files as they are served, filled by collectstatic
STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "var/static")
# Charts that were drawn already, and pages that were made
CACHE_ROOT = env.path("CACHE_ROOT", default=BASE_DIR / "var/cache")
# Pages are kept there, so many megabytes of them, or in a Redis that several machines share
PAGE_CACHE_MB = env.int("PAGE_CACHE_MB", default=512, validate=Range(min=1))
CACHE_URL = env.str("CACHE_URL", default="", validate=Regexp("rediss?://|$"))
# Largest table that staff may upload
UPLOAD_LIMIT_MB = env.int("UPLOAD_LIMIT_MB", default=10)
# Months that trail events are kept at the least; the law asks for six
TRAIL_MONTHS = env.int("TRAIL_MONTHS", default=24, validate=Range(min=6))
# The private key that signs checkpoints of the record: 32 bytes in hexadecimal digits; empty: none
CHECKPOINT_KEY = env.str("CHECKPOINT_KEY", default="")
# Days until a link by which somebody chooses a password ends
INVITATION_DAYS = env.int("INVITATION_DAYS", default=7, validate=Range(min=1, max=30))
PASSWORD_RESET_TIMEOUT = INVITATION_DAYS * 24 * 60 * 60
# Signing in: rules that the security level asks for without giving numbers
PASSWORD_LENGTH = env.int("PASSWORD_LENGTH", default=8, validate=Range(min=8))
SIGN_IN_FAILURES = env.int("SIGN_IN_FAILURES", default=5, validate=Range(min=1))
LOCK_OUT_MINUTES = env.int("LOCK_OUT_MINUTES", default=10, validate=Range(min=1))
IDLE_MINUTES = env.int("IDLE_MINUTES", default=30, validate=Range(min=1))
# Whether a proxy in front appends the visitor's address, and to which header: 1 means
# X-Forwarded-For, `forwarded` the header of RFC 7239
TRUST_PROXY = env.str("TRUST_PROXY", default="0").lower()
TRUST_PROXY = TRUST_PROXY if TRUST_PROXY == "forwarded" else env.bool("TRUST_PROXY", default=False)
# Reminders by mail: through which server, from whom, with links to where, how often at the most
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="portal@localhost")
PORTAL_URL = env.str("PORTAL_URL", default="http://127.0.0.1:8000").rstrip("/")
REMIND_EVERY_DAYS = env.int("REMIND_EVERY_DAYS", default=7, validate=Range(min=1))
REMIND_DAYS_BEFORE_DUE = env.int("REMIND_DAYS_BEFORE_DUE", default=3, validate=Range(min=0, max=60))
# Where readers report a problem: a sentence for the accessibility page, empty if there is none
CONTACT = env.str("CONTACT", default="")
# Under which terms the open data may be used; empty: nobody has said so yet.
DATA_LICENCE = env.str("DATA_LICENCE", default="")
DATA_LICENCE_URL = env.str("DATA_LICENCE_URL", default="")
# The server: processes, and threads of each; both are read by deploy/serve, too. Their product is
# the most that is answered at once, and the most connections to the database.
WORKERS = env.int("WORKERS", default=2, validate=Range(min=1))
THREADS = env.int("THREADS", default=8, validate=Range(min=2))
# Seconds that a write waits for another, and that one question to PostgreSQL may take
LOCK_SECONDS = env.int("LOCK_SECONDS", default=20, validate=Range(min=1))
STATEMENT_SECONDS = env.int("STATEMENT_SECONDS", default=30, validate=Range(min=1))
LOG_LEVEL = env.log_level("LOG_LEVEL", default="WARNING")
# Operating: the log, who is mailed about errors, what /readyz asks for, backups
LOG_FORMAT = env.str(
    "LOG_FORMAT", default="line" if DEBUG else "json", validate=OneOf(["json", "line"])
)
ACCESS_LOG = env.bool("ACCESS_LOG", default=False)
ADMIN_MAIL = env.list("ADMIN_MAIL", default=[])
METRICS = env.bool("METRICS", default=False)
DISK_FREE_MB = env.int("DISK_FREE_MB", default=500, validate=Range(min=0))
BACKUP_FOLDER = env.str("BACKUP_FOLDER", default="")
BACKUP_LATE_HOURS = env.int("BACKUP_LATE_HOURS", default=26, validate=Range(min=1))
BACKUP_RECIPIENT = env.str("BACKUP_RECIPIENT", default="")
POSTGRESQL_BIN = env.str("POSTGRESQL_BIN", default="")

try:
    env.seal()
except EnvError as error:
    raise ImproperlyConfigured(f"{error} Correct it in the environment or in .env.") from None
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. `make run` writes one to .env; on a server, set it in the "
        "environment to 50 or more random characters; for debugging, set DEBUG=1."
    )
FORCE_SCRIPT_NAME = FORCE_SCRIPT_NAME.rstrip("/") or None

# Application
INSTALLED_APPS = [
    "measures",
    "metrics",
    "baoshan_portal",
    "baoshan_portal.public",
    "baoshan_portal.staff",
    "baoshan_portal.demo",
    "baoshan_portal.operating",
    "baoshan_portal.staff.site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "import_export",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
]
MIDDLEWARE = [
    "baoshan_portal.operating.requests.RequestMiddleware",
    "baoshan_portal.operating.unavailable.UnavailableMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "baoshan_portal.doors.CookiesVaryMiddleware",
    "baoshan_portal.doors.SignedInSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "baoshan_portal.doors.BodyLimitMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "measures.trail.AddressMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "baoshan_portal.staff.sign_in.AccountMiddleware",
    "baoshan_portal.public.as_of.AsOfMiddleware",
    "axes.middleware.AxesMiddleware",
    "baoshan_portal.doors.NoKeyMiddleware",
]
if METRICS:
    INSTALLED_APPS.append("django_prometheus")
    MIDDLEWARE.insert(1, "django_prometheus.middleware.PrometheusBeforeMiddleware")
    MIDDLEWARE.append("django_prometheus.middleware.PrometheusAfterMiddleware")
    PROMETHEUS_EXPORT_MIGRATIONS = False
    # The processes of one server count into files of one folder, emptied when it starts
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(CACHE_ROOT / "metrics"))
    Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)
ROOT_URLCONF = "baoshan_portal.urls"
WSGI_APPLICATION = "baoshan_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "baoshan_portal.public.display.context",
            ],
            "builtins": [
                "measures.templatetags.portal",
                "baoshan_portal.public.templatetags.public",
            ],
        },
    }
]
DJANGO_TABLES2_TEMPLATE = "public/table.html"

# Database
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FIXTURE_DIRS = [BASE_DIR / "fixtures"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Django's own, but migrations keep the triggers
    DATABASES["default"]["ENGINE"] = "measures.sqlite"
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        # FULL: what was confirmed is on the disk, also when the power fails a moment later.
        # Recursive triggers, so that REPLACE does not slip past those that protect rows
        init_command=(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; "
            "PRAGMA cache_size=-512;"
        ),
        # Of each kept connection; Python's own 128 statements of the lists take many MB.
        cached_statements=16,
        # Take the write lock when a transaction begins, so that a second writer waits
        # its turn instead of failing half-way.
        transaction_mode="IMMEDIATE",
        timeout=LOCK_SECONDS,
    )
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
else:
    # What else bounds the server's alone is in operating/serving.py.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
# A thread keeps its connection, and asks PostgreSQL whether it still works before it is used again.
DATABASES["default"]["CONN_MAX_AGE"] = 60
if REPLICA_URL:
    if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("REPLICA_URL needs a DATABASE_URL of PostgreSQL.")
    DATABASES["replica"] = dj_database_url.parse(
        REPLICA_URL, conn_max_age=60, conn_health_checks=True, test_options={"MIRROR": "default"}
    )
    # A machine that is gone keeps a reader no longer than two seconds.
    DATABASES["replica"].setdefault("OPTIONS", {}).update(
        connect_timeout=2, options="-c default_transaction_read_only=on"
    )

# People
AUTH_USER_MODEL = "measures.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": PASSWORD_LENGTH}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
# An account is locked for the address that failed, so that a stranger cannot lock others out
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = SIGN_IN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=LOCK_OUT_MINUTES)
# Counted in a table of our own, where a stranger makes one row a window
AXES_HANDLER = "measures.failed_sign_ins.Handler"
AXES_LOCKOUT_CALLABLE = "baoshan_portal.staff.sign_in.locked_out"
AXES_CLIENT_IP_CALLABLE = "measures.trail.client_address"
# The trail and the list of accounts tell what these would tell again
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Baoshan portal"

# Language and time: the language is in the address, Chinese at / and English at /en/
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# Static files
# Django would put the prefix before a relative STATIC_URL too late for a WSGI server
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "baoshan_portal.static_files.StaticFiles"
    },
}

# Charts are drawn once and kept on disk; what is kept is named by its content and never stale.
# Pages are named by all that they depend on, see operating/page_cache.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "charts": {
        "BACKEND": "measures.kept_files.KeptFiles",
        "LOCATION": CACHE_ROOT / "charts",
        "TIMEOUT": None,
    },
    "pinyin": {
        "BACKEND": "measures.kept_files.KeptFiles",
        "LOCATION": CACHE_ROOT / "pinyin",
        "TIMEOUT": None,
    },
    "pages": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "TIMEOUT": 24 * 3600,
    }
    if CACHE_URL
    else {
        "BACKEND": "measures.kept_files.KeptFiles",
        "LOCATION": CACHE_ROOT / "pages",
        "TIMEOUT": 24 * 3600,
        "OPTIONS": {"MAX_BYTES": PAGE_CACHE_MB * 1024 * 1024},
    },
}

# Security
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "baoshan_portal.staff.typed.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# Cookies of this portal alone, where it shares a name with other services
CSRF_COOKIE_PATH = SESSION_COOKIE_PATH = f"{FORCE_SCRIPT_NAME or ''}/"
if DEMO:
    # Cookies know no ports: signing in here must not sign out of the real portal beside it
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "demo_sessionid", "demo_csrftoken"
# A session ends after this long without a request, or sooner by the seconds between two writes
SESSION_COOKIE_AGE = IDLE_MINUTES * 60
SESSION_WRITTEN_EVERY = min(60, SESSION_COOKIE_AGE // 10)
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HSTS_WHOLE_DOMAIN
    if not HSTS_WHOLE_DOMAIN:
        # Chosen on purpose, so `check --deploy` need not warn of it.
        SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# An entry sheet sends some seven fields a figure
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# Import and export write all rows or none, and ask for a permission that they would not otherwise
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "add"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"
IMPORT_EXPORT_ESCAPE_ILLEGAL_CHARS_ON_EXPORT = True

# Uploaded workbooks are read with defusedxml, also where python-docx has brought lxml along
os.environ.setdefault("OPENPYXL_LXML", "False")

# Errors go to the log and, at most once an hour each, to the administrators' mail
ADMINS = [(address, address) for address in ADMIN_MAIL]
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "baoshan_portal.operating.logs.RequestId"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "baoshan_portal.operating.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request"],
        },
        "mail": {
            "class": "baoshan_portal.operating.logs.MailHandler",
            "level": "ERROR",
            "filters": ["request"],
        },
    },
    "root": {"handlers": ["console", "mail"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handler mails each error, with all that the visitor sent
        "django": {"handlers": [], "level": LOG_LEVEL},
        "portal.access": {"level": "INFO"},
    },
}
