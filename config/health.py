"""Health for whoever runs it: is the process up, and is the whole of it ready?"""

import hmac

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from config.measures.exported import Everything
from lib.networks import LOOPBACK, is_within
from market.models import CollectorLease

TIMEOUT_SECONDS = 2
FORWARDING = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
)
everything = Everything()
_registry = CollectorRegistry()
_registry.register(everything)


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "up"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Green when PostgreSQL and Redis answer and a collector's feed is connected; a market without
    trades is not red."""
    checks = {"postgresql": _postgresql(), "redis": _redis()}
    checks["collector"] = _collector() if checks["postgresql"] == "ok" else "unknown"
    is_ready = all(state == "ok" for state in checks.values())
    answer = JsonResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks},
        status=200 if is_ready else 503,
    )
    answer._has_been_logged = True  # type: ignore[attr-defined]  # red is an answer, not an error
    return answer


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's text format, for this machine, METRICS_NETWORKS, or with METRICS_TOKEN."""
    if not _may_read_metrics(request):
        return HttpResponseForbidden(
            "Expected a request of this machine, of METRICS_NETWORKS, or with METRICS_TOKEN.\n",
            content_type="text/plain",
        )
    return HttpResponse(
        generate_latest(REGISTRY) + generate_latest(_registry), content_type=CONTENT_TYPE_LATEST
    )


def _may_read_metrics(request: HttpRequest) -> bool:
    """A proxy on this machine is a loopback peer too, and says for whom it asks."""
    given = request.headers.get("Authorization", "").encode()
    wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
    if settings.METRICS_TOKEN and hmac.compare_digest(given, wanted):
        return True
    address = request.META.get("REMOTE_ADDR", "")
    is_forwarded = any(name in request.headers for name in FORWARDING)
    if is_within(address, LOOPBACK) and not is_forwarded:
        return True
    return is_within(address, settings.METRICS_NETWORKS)


def _postgresql() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"does not answer ({type(error).__name__})"
    return "ok"


def _redis() -> str:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )
    try:
        client.ping()
    except redis.RedisError as error:
        return f"does not answer ({type(error).__name__})"
    finally:
        client.close()
    return "ok"


def _collector() -> str:
    held = CollectorLease.objects.filter(
        share__startswith=f"{settings.VENUE}:", until__gte=timezone.now()
    ).exclude(holder="")
    states = set(held.values_list("state", flat=True))
    if "connected" in states:
        return "ok"
    return f"feed is {min(states)}" if states else "no collector runs"
