"""How many sockets this process holds, by user and by address."""

from collections import Counter

from django.conf import settings

_by_user: Counter[int] = Counter()
_by_ip: Counter[str] = Counter()


def enter(user_id: int, ip: str) -> str | None:
    """Count a socket in; a sentence when there are too many."""
    if _by_user.total() >= settings.LIVE_SOCKETS_PER_PROCESS:
        return "this server holds too many sockets"
    if _by_user[user_id] >= settings.LIVE_SOCKETS_PER_USER:
        return "too many sockets of this user"
    if _by_ip[ip] >= settings.LIVE_SOCKETS_PER_IP:
        return "too many sockets from this address"
    _by_user[user_id] += 1
    _by_ip[ip] += 1
    return None


def leave(user_id: int, ip: str) -> None:
    _by_user.subtract([user_id])
    _by_ip.subtract([ip])
    if not _by_user[user_id]:
        del _by_user[user_id]
    if not _by_ip[ip]:
        del _by_ip[ip]
