"""Names of everything the market keeps in Redis. The braces keep one tape in one cluster slot."""

from market.instruments import InstrumentKey


def state(tape: InstrumentKey) -> str:
    """Hash: where the tape stands, with the newest price and best bid/ask."""
    return f"tl:tape:{{{tape}}}:state"


def gaps(tape: InstrumentKey) -> str:
    """Hash: first id -> gap as JSON; closed ones leave once they are in PostgreSQL."""
    return f"tl:tape:{{{tape}}}:gaps"


def big_orders(tape: InstrumentKey) -> str:
    """List: the newest big orders as JSON, newest first."""
    return f"tl:tape:{{{tape}}}:big"


def bars(tape: InstrumentKey, interval: str) -> str:
    """Prefix of the bars' hashes (`…:<open time>`), and ZSET of their open times."""
    return f"tl:tape:{{{tape}}}:{interval}"


def bar(tape: InstrumentKey, interval: str, time: int) -> str:
    return f"tl:tape:{{{tape}}}:{interval}:{time}"


def board(tape: InstrumentKey, kind: str) -> str:
    """The newest book, ticker or mark as JSON; goes when nobody renews it."""
    return f"tl:tape:{{{tape}}}:{kind}"


def shown_by(tape: InstrumentKey) -> str:
    """Which collector shows the tape's book, ticker and mark."""
    return f"tl:tape:{{{tape}}}:shown_by"


def topic(venue: str, name: str) -> str:
    """Pub/sub channel of a live topic; channels know no database number, so the venue is in."""
    return f"tl:live:{venue}:{name}"


HEARTBEAT = "heartbeat"
# A sign-in that is over: its sockets close.
ENDED = "ended"
# What a topic's channel carries when older bars have changed: read the API again.
RESYNC = "resync"


def orders_topic(tape: InstrumentKey) -> str:
    """The live topic of big orders."""
    return f"orders:{tape.market}:{tape.symbol}"


def board_topic(tape: InstrumentKey, kind: str) -> str:
    """The live topic of a book, ticker or mark."""
    return f"{kind}:{tape.market}:{tape.symbol}"


def flow_topic(tape: InstrumentKey, interval: str) -> str:
    """The live topic as clients name it; its venue is the one this installation runs on."""
    return f"flow:{tape.market}:{tape.symbol}:{interval}"
