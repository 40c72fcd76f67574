"""The first of many trades in an order. They are asked for account by account: so PostgreSQL finds
them by an index, and what they cost does not grow with what there is; of all accounts together it
would sort everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet

from accounts.models import ExchangeAccount, User
from journal.models import Trade

# Further down a list everything is sorted.
DEEP = 2_000
BY_CLOSING = ("-closed_at", "-pk")


def first_of(trades: "QuerySet[Any]", user: User, order: tuple[str, ...], most: int) -> list[Any]:
    """At most `most`, in the order; of values, the columns of the order have to be among them."""
    own = ExchangeAccount.objects.visible_to(user).values_list("pk", flat=True)
    asked = [trades.filter(account=pk).order_by(*order)[:most] for pk in own]
    parts = [part for part in asked if not part.query.is_empty()]
    if len(parts) < 2:
        return list(parts[0]) if parts else []
    return list(parts[0].union(*parts[1:], all=True).order_by(*order)[:most])


def pages_of(
    trades: "QuerySet[Trade]", user: User, order: tuple[str, ...], lines: int
) -> "Paginator[Trade]":
    """A list with so many lines a page."""
    return Paginator(cast("QuerySet[Trade]", _Ordered(trades, user, order)), lines)


@dataclass(frozen=True)
class _Ordered:
    """What a `Paginator` asks for."""

    trades: "QuerySet[Any]"
    user: User
    order: tuple[str, ...]

    def count(self) -> int:
        return self.trades.count()

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.trades.order_by(*self.order))

    def __getitem__(self, part: slice) -> list[Any]:
        if part.stop > DEEP:
            return list(self.trades.order_by(*self.order)[part])
        return first_of(self.trades, self.user, self.order, part.stop)[part.start :]
