"""What the flow and the sockets time: `/metrics` tells it over all processes."""

from market.hot import tally

MARKETS = ("spot", "usdm")
SOCKET_ROUTES = ("live",)

FLUSH = tally.Timer(
    "tapelog_flush_duration_seconds",
    "Time that writing what changed of a share's tapes takes, one round trip to Valkey",
    ("market",),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)
SOCKET_OPENING = tally.Timer(
    "tapelog_websocket_opening_duration_seconds",
    "Time from a socket's request until it is accepted or refused",
    ("route",),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
# Sampled: a socket tells it at most once a second.
SOCKET_WAIT = tally.Timer(
    "tapelog_websocket_wait_seconds",
    "Time from a state's arrival in this process until a socket has sent all that waited with it",
    ("route",),
    (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0),
)
SOCKETS = tally.Count(
    "tapelog_websocket_openings", "Sockets that were accepted or refused", ("route", "outcome")
)
OUTCOMES = ("accepted", "refused")
EVERY_SECONDS = 1.0
