"""The symbols that somebody has traded, without reading every trade."""

from django.conf import settings
from django.db import connection

from accounts.models import User
from journal.models import Market

# One look into the index `trades_of_a_symbol` for each symbol there is, however many its trades.
NEXT = """(
    SELECT trade.symbol FROM journal_trade trade
    WHERE trade.account_id = place.account_id AND trade.market = place.market
        AND trade.symbol > place.symbol
    ORDER BY trade.symbol LIMIT 1
)"""
TRADED = f"""
WITH RECURSIVE place(account_id, market, symbol) AS (
    SELECT account.id, market.name, ''::varchar
    FROM accounts_exchangeaccount account CROSS JOIN unnest(%s::text[]) market(name)
    WHERE account.user_id = %s AND account.venue = %s
    UNION ALL
    SELECT place.account_id, place.market, {NEXT} FROM place WHERE place.symbol IS NOT NULL
)
SELECT DISTINCT symbol FROM place WHERE symbol <> '' ORDER BY symbol
"""  # noqa: S608  (both pieces stand above)


def traded_symbols(user: User) -> list[str]:
    """In alphabetical order, of trades open and closed."""
    with connection.cursor() as cursor:
        cursor.execute(TRADED, [Market.values, user.pk, settings.VENUE])
        return [symbol for (symbol,) in cursor.fetchall()]
