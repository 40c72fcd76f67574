"""Kept answers as their pages show them: amounts as decimals, curves, bars."""

import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from journal.drawings.curves import Line, Words, curves
from journal.drawings.scales import short
from journal.insight import overview
from journal.insight.breaks import name_of
from journal.metrics.markout import HORIZONS
from journal.metrics.spread import Spread
from journal.models import Preferences
from journal.selectors.fates import exact
from journal.selectors.insight_words import (
    market_name,
    reason_of,
    rule_of,
    size_words,
)
from journal.selectors.units import axis_words
from journal.views.drawing import largest_of

Answer = dict[str, Any]
Shown = Callable[[Answer, User, Preferences], dict[str, Any]]
TONES = ("mixed", "accent", "mixed")


def findings(answer: Answer, user: User, chosen: Preferences) -> dict[str, Any]:
    shown = overview.read(answer, chosen)
    spreads = [Spread(one.effect, one.low, one.high) for one in shown.compared]
    words = axis_words(chosen, user.report_currency)
    return {
        "insight": shown,
        "count": answer["count"],
        "without": answer["without"],
        "mean": _exact(answer["mean"], "value", "low", "high"),
        "fate": _fate(answer["fate"], words),
        "change": _change(answer["change"]),
        "explored": answer["explored"],
        "rolling": _rolling(answer["rolling"], words),
        "window": answer["rolling"] and answer["rolling"]["window"],
        "effects": list(zip(shown.compared, spreads, strict=True)),
        "effect_scale": largest_of(spreads),
    }


def _exact(values: Answer | None, *names: str) -> Answer | None:
    """These of it as decimals, for templates."""
    if values is None:
        return None
    return values | {name: _decimal(values[name]) for name in names}


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None or not math.isfinite(value) else exact(value)


def _fate(fate: Answer | None, words: Words) -> Answer | None:
    if fate is None:
        return None
    lines = [
        Line(name, tone, [(0.0, 0.0), *((float(at), value) for at, value in enumerate(fan, 1))])
        for name, tone, fan in zip(("95 %", "50 %", "5 %"), TONES, fate["fan"][::-2], strict=True)
    ]
    return {
        "drawing": curves(lines, words, lambda number: f"{number:.0f}", is_stepped=False),
        "ahead": fate["ahead"],
        "block": fate["block"],
        "ends": [exact(value) for value in fate["ends"]],
        "drawdowns": [exact(-value) for value in fate["drawdowns"]],
        "ruin_at": exact(-fate["ruin_at"]),
        "ruin": Decimal(f"{fate['ruin']:.4f}"),
    }


def _change(change: Answer | None) -> Answer | None:
    if change is None:
        return None
    closed = datetime.fromisoformat(change["closed"])
    return _exact(change | {"closed": closed}, "before", "after")


def _rolling(rolling: Answer | None, words: Words) -> Any:
    if rolling is None:
        return None
    at = [float(number) for number in rolling["at"]]
    lines = [
        Line(name, tone, list(zip(at, rolling[key], strict=True)))
        for name, tone, key in (
            ("95 %", "mixed", "highs"),
            ("", "accent", "means"),
            ("95 %", "mixed", "lows"),
        )
    ]
    return curves(lines, words, lambda number: f"{number:.0f}", is_stepped=False)


def counterparty(answer: Answer, user: User, chosen: Preferences) -> dict[str, Any]:
    groups = [
        group
        | {
            "label": size_words(group["size"]),
            "key": f"{group['role']} {group['size']}".strip(),
            "left": _left(group),
            "marks": [_exact(mark, "money") for mark in group["marks"]],
        }
        for group in answer["groups"]
    ]
    return {
        "told": answer,
        "horizons": list(HORIZONS),
        "roles": [
            (role, [group for group in groups if group["role"] == role])
            for role in ("maker", "taker")
        ],
        "picture": _markout_picture(answer["groups"]),
        "untold": [
            one | {"words": reason_of(one["why"])} for one in answer["untold"] if one["count"]
        ],
        "worst": [one | {"money": exact(one["money"])} for one in answer["worst"]],
    }


def _left(group: Answer) -> float | None:
    """Basis points after the fee, a minute later."""
    marks = {mark["horizon"]: mark["bps"] for mark in group["marks"]}
    return None if marks["1m"] is None else marks["1m"] - group["fee_bps"]


def _markout_picture(groups: list[Answer]) -> Any:
    """Makers and takers over the horizons, evenly spaced."""
    lines = []
    for group in groups:
        points = [
            (float(at), mark["bps"])
            for at, mark in enumerate(group["marks"], 1)
            if mark["bps"] is not None
        ]
        if not group["size"] and points:
            tone = "accent" if group["role"] == "maker" else "down"
            # from the fill itself only where what came at once is known
            start = [(0.0, 0.0)] if points[0][0] == 1 else []
            lines.append(Line(group["role"], tone, [*start, *points]))
    names = ["0", *HORIZONS]
    return curves(
        lines,
        short,
        lambda at: names[int(at)] if 0 <= at < len(names) else "",
        is_stepped=False,
    )


def twin(answer: Answer, user: User, chosen: Preferences) -> dict[str, Any]:
    words = axis_words(chosen, user.report_currency)
    rules = [_rule(one, words) for one in answer["rules"]]
    spreads = [one["spread"] for one in rules if one["spread"] is not None]
    told = [one for one in rules if one["whole"] is not None]
    return {
        "told": answer,
        "rules": rules,
        "drawn": [one for one in told if one["drawing"] is not None],
        "scale": largest_of(spreads),
        "compared": len(told),
    }


def _rule(one: Answer, words: Words) -> Answer:
    drawing = None
    if one["whole"] is not None and one["changed"]:
        made = [(float(at), value) for at, value, _other in one["curves"]]
        other = [(float(at), value) for at, _made, value in one["curves"]]
        lines = [Line("made", "mixed", made), Line("other", "accent", other)]
        drawing = curves(lines, words, lambda number: f"{number:.0f}", is_stepped=False)
    return _pair(one) | {
        "label": rule_of(one["name"]),
        "luck": exact(one["luck"]),
        "untold": [(reason_of(why), count) for why, count in one["untold"].items() if count],
        "untold_count": sum(one["untold"].values()),
        "drawing": drawing,
    }


def _pair(one: Answer) -> Answer:
    """Sums and the difference of all of them, with its range."""
    shown = _exact(one, "made", "other") or {}
    for name in ("whole", "first", "last"):
        shown[name] = _exact(one[name], "mean", "low", "high")
    whole = shown["whole"]
    spread = None if whole is None else Spread(whole["mean"], whole["low"], whole["high"])
    return shown | {
        "difference": exact(one["other"] - one["made"]),
        "low": None if whole is None else whole["low"] * one["count"],
        "high": None if whole is None else whole["high"] * one["count"],
        "spread": spread,
    }


def stops(answer: Answer, user: User, chosen: Preferences) -> dict[str, Any]:
    distances = [_pair(one) for one in answer["distances"]]
    whole = sum(one["value"] for one in answer["sizes"])
    return {
        "told": answer,
        "after": answer["after"],
        "distances": distances,
        "scale": largest_of(one["spread"] for one in distances if one["spread"] is not None),
        "sizes": [
            (size_words(one["size"]), exact(one["value"]), one["value"] / whole * 100)
            for one in answer["sizes"]
            if whole
        ],
        "untold": [(reason_of(why), count) for why, count in answer["untold"].items() if count],
    }


def execution(answer: Answer, user: User, chosen: Preferences) -> dict[str, Any]:
    rows = [
        one | {"spread": None if one["saved"] is None else _spread(one), "key": one["name"]}
        for one in answer["rows"]
    ]
    return {
        "told": answer,
        "ways": [
            (way, by, own)
            for way in ("market", "limit")
            for by in ("all", "symbol", "hours")
            if (own := [one for one in rows if (one["way"], one["by"]) == (way, by)])
        ],
        "scale": largest_of(one["spread"] for one in rows if one["spread"] is not None),
        "untold": [(reason_of(why), count) for why, count in answer["untold"].items() if count],
    }


def _spread(one: Answer) -> Spread:
    return Spread(exact(one["saved"]), exact(one["low"]), exact(one["high"]))


def rules(answer: Answer, user: User, chosen: Preferences) -> dict[str, Any]:
    names = ("kept_mean", "broken_mean", "cost", "difference", "low", "high")
    oneself = [
        (_exact(one, *names) or {}) | {"label": name_of(one["name"])} for one in answer["oneself"]
    ]
    return {
        "count": answer["count"],
        "setups": [_exact(one, *names) for one in answer["setups"]],
        "oneself": oneself,
    }


def together(answer: Answer, user: User, chosen: Preferences) -> dict[str, Any]:
    known = [(one["market"], one["symbol"]) for one in answer["held"] if one["is_known"]]
    # as the pairs spell them -> as one reads them
    shown = {f"{market} {symbol}": f"{market_name(market)} {symbol}" for market, symbol in known}
    pairs = {(one["first"], one["second"]): one for one in answer["pairs"]}
    lines = [
        (a, [None if a == b else pairs.get((a, b)) or pairs.get((b, a)) for b in shown])
        for a in shown
    ]
    return {
        "told": answer,
        "names": list(shown.values()),
        "lines": [(shown[name], [(cell, _tone(cell)) for cell in cells]) for name, cells in lines],
        "unknown": [one for one in answer["held"] if not one["is_known"]],
    }


def _tone(pair: Answer | None) -> str:
    if pair is None or pair["value"] is None:
        return ""
    strength = max(1, min(5, math.ceil(abs(pair["value"]) * 5)))
    return f"heat-{'up' if pair['value'] > 0 else 'down'}-{strength}"


SHOWN: dict[str, Shown] = {
    "findings": findings,
    "counterparty": counterparty,
    "twin": twin,
    "stops": stops,
    "execution": execution,
    "rules": rules,
    "together": together,
}
