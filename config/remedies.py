"""From what went wrong to its entry in the troubleshooting guide: the one list of them.

An entry's anchor stands behind its heading in docs/troubleshooting.md and its translation, as
`{#clock}`, so that it is the same in every language.
"""

GUIDE = "/help/troubleshooting/"
# Of any code of a kind that has no entry of its own.
ELSE = ""

ENTRIES: dict[str, dict[str, str]] = {
    # why an exchange account does not work (accounts), also as the name of the check that failed
    "account": {
        "bad_key": "key-unknown",
        "key exists": "key-unknown",
        "signature": "key-signature",
        "clock": "clock",
        "may_withdraw": "key-withdraws",
        "no withdrawals": "key-withdraws",
        "no_reading": "key-reading",
        "reading": "key-reading",
        "connected_twice": "key-twice",
        "another_account": "key-twice",
        "same account": "key-twice",
        "busy": "weight",
        "unreachable": "exchange-away",
        "reachable": "exchange-away",
        "refused": "exchange-away",
        "sealed": "key-files",
        "key opens": "key-files",
    },
    # the `code` of an answer of the API
    "api": {
        "trading_off": "trading-off",
        "cap_order": "caps",
        "cap_risk": "caps",
        "cap_day_loss": "caps",
        "cap_orders": "caps",
        "symbol_not_allowed": "caps",
        "price_far": "caps",
        "key_may_not_trade": "key-trading",
        "never_arrived": "order-refused",
        "not_now": "order-not-now",
        "interrupted": "order-not-now",
        "no_order_budget": "order-not-now",
        "scope_missing": "tokens",
        "signature_required": "tokens",
        "session_only": "tokens",
        "step_up": "second-factor",
        "network_not_allowed": "networks",
        "not_proven": "channel-unproven",
    },
    # the class of an answer, where its code has no entry
    "status": {"429": "too-many", "451": "place", "500": "errors"},
    # whole pages
    "page": {
        "403": "not-allowed",
        "404": "not-allowed",
        "429": "too-many",
        "csrf": "csrf",
        "place": "place",
        "banned": "banned",
    },
    # an export's rows and files (journal.faults)
    "file": {"zone": "file-zone", "zone_unknown": "file-zone", ELSE: "file-row"},
    "proof": {"book_not_built": "book-parked", ELSE: "proof"},
    "flow": {ELSE: "no-flow"},
    "history": {"failed": "sync-failed", "waiting": "sync-waits", "differs": "balances"},
    "trouble": {ELSE: "trouble"},
    "gap": {"open": "gap-open", "unfillable": "gap-unfillable"},
    "channel": {"unproven": "channel-unproven", ELSE: "given-up"},
    "order": {
        "unknown": "order-unknown",
        "expired": "order-expired",
        "refused": "order-refused",
        "naked": "naked",
    },
    "backup": {ELSE: "backup-fails"},
}


def anchor_of(kind: str, code: str) -> str | None:
    """None: there is no entry for it."""
    entries = ENTRIES[kind]
    if kind == "api" and code.startswith("rule_"):
        return "rules"
    return entries.get(code, entries.get(ELSE))


def address_of(kind: str, code: str) -> str | None:
    """`account`, `clock` -> `/help/troubleshooting/#clock`."""
    anchor = anchor_of(kind, code)
    return f"{GUIDE}#{anchor}" if anchor else None
