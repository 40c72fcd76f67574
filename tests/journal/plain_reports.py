"""Reports row by row in Python: what PostgreSQL's sums have to equal."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from journal.metrics import trades as metrics
from journal.metrics.spread import Spread, spread
from journal.models import Preferences, Trade
from journal.selectors.report_rows import Row, day_in
from journal.selectors.reports import Group, wilson

ZERO = Decimal(0)
NONE = "–"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SIZES = (100, 500, 1000, 2500, 5000, 10_000, 50_000)
HOLDS = (
    (1, "1 m"),
    (5, "5 m"),
    (15, "15 m"),
    (60, "1 h"),
    (240, "4 h"),
    (1440, "1 d"),
    (4320, "3 d"),
    (10_080, "1 w"),
)


def weekday(row: Row, chosen: Preferences) -> str:
    at = day_in(row.opened_at, chosen).weekday()
    return f"{at + 1} {DAYS[at]}"


def session(row: Row, _chosen: Preferences) -> str:
    hour = row.opened_at.hour
    if hour < 8:
        return "Asia"
    if hour < 14:
        return "Europe"
    return "America" if hour < 22 else "Late"


def bucket(value: Decimal | float, edges: Sequence[float], unit: str) -> str:
    at = next((n for n, edge in enumerate(edges) if value < edge), len(edges))
    low = f"{edges[at - 1]:g}" if at else ""
    high = f"{edges[at]:g}" if at < len(edges) else ""
    span = f"{low}–{high}" if low and high else f"< {high}" if high else f"≥ {low}"
    return f"{at + 1}. {span} {unit}".strip()


def holding(row: Row, _chosen: Preferences) -> str:
    minutes = (row.closed_at - row.opened_at) / timedelta(minutes=1)
    for number, (edge, name) in enumerate(HOLDS):
        if minutes < edge:
            return f"{number + 1}. < {name}"
    return f"{len(HOLDS) + 1}. ≥ {HOLDS[-1][1]}"


def efficiency(row: Row, _chosen: Preferences) -> str:
    if row.efficiency is None:
        return NONE
    return bucket(row.efficiency * 100, (0, 25, 50, 75), "%")


def imbalance(row: Row, _chosen: Preferences) -> str:
    if row.flow_share is None:
        return NONE
    share = row.flow_share * 100
    if share < -60:
        return "1. < -60 %"
    for number, (low, high) in enumerate(((-60, -20), (-20, 20), (20, 60)), 2):
        if share < high:
            return f"{number}. {low} … {high} %"
    return "5. ≥ 60 %"


def capped(number: int, most: int) -> str:
    return str(min(number, most)) + ("+" if number >= most else "")


ONE: dict[str, Callable[[Row, Preferences], str]] = {
    "account": lambda row, _: row.account,
    "market": lambda row, _: row.market,
    "symbol": lambda row, _: row.symbol,
    "base": lambda row, _: row.base,
    "direction": lambda row, _: row.direction,
    "hour": lambda row, chosen: f"{row.opened_at.astimezone(chosen.tzinfo).hour:02d}:00",
    "weekday": weekday,
    "month": lambda row, chosen: f"{day_in(row.closed_at, chosen):%Y-%m}",
    "session": session,
    "hold": holding,
    "size": lambda row, _: bucket(row.size, SIZES, ""),
    "fills": lambda row, _: bucket(row.fill_count, (3, 5, 10, 20, 50), ""),
    "maker": lambda row, _: bucket(row.maker_share * 100, (1, 50, 99), "%"),
    "flow": lambda row, _: str(Trade.Against(row.flow).label),
    "imbalance": imbalance,
    "efficiency": efficiency,
    "stop": lambda row, _: str(Trade.StopMoves(row.stop_moves).label),
    "streak": lambda row, _: capped(row.after_loss, 5),
    "of_day": lambda row, _: capped(row.of_day, 10),
    "setup": lambda row, _: row.setup or NONE,
    "emotion": lambda row, _: row.emotion or NONE,
    "rating": lambda row, _: str(row.rating or NONE),
    "reviewed": lambda row, _: "yes" if row.is_reviewed else "no",
}


def names_of(row: Row, dimension: str, chosen: Preferences) -> Sequence[str]:
    if dimension == "tag":
        return row.tags or (NONE,)
    if dimension == "mistake":
        return row.mistakes or (NONE,)
    return (ONE[dimension](row, chosen),)


def breakdown(rows: Sequence[Row], dimension: str, chosen: Preferences) -> list[Group]:
    members: dict[str, list[Row]] = {}
    for row in rows:
        for name in names_of(row, dimension, chosen):
            members.setdefault(name, []).append(row)
    return [group(name, members[name]) for name in sorted(members)]


def matrix(
    rows: Sequence[Row], down: str, across: str, chosen: Preferences
) -> tuple[list[str], list[tuple[str, list[Group | None]]]]:
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for a in names_of(row, down, chosen):
            for b in names_of(row, across, chosen):
                cells.setdefault((a, b), []).append(row)
    columns = sorted({b for _, b in cells})
    lines = sorted({a for a, _ in cells})
    return columns, [
        (a, [group(b, cells[a, b]) if (a, b) in cells else None for b in columns]) for a in lines
    ]


def group(name: str, rows: Sequence[Row]) -> Group:
    nets = [row.net for row in rows]
    rs = [row.r for row in rows if row.r is not None]
    net = sum(nets, ZERO)
    mean = net / len(nets)
    around = _spread(nets, mean)
    low, high = wilson(sum(value > 0 for value in nets), len(nets))
    return Group(
        name=name,
        count=len(nets),
        net=net,
        mean=mean,
        low=around.low,
        high=around.high,
        win_rate=metrics.win_rate(nets),
        win_low=low,
        win_high=high,
        profit_factor=metrics.profit_factor(nets),
        payoff=metrics.payoff_ratio(nets),
        mean_r=metrics.expectancy_r(rs),
        r_count=len(rs),
        fees=sum((row.fees for row in rows), ZERO),
        hold=sum((row.closed_at - row.opened_at for row in rows), timedelta()) / len(rows),
    )


def _spread(nets: Sequence[Decimal], mean: Decimal) -> Spread:
    if len(nets) < 2:
        return spread(mean, None, len(nets))
    variance = sum(((value - mean) ** 2 for value in nets), ZERO) / (len(nets) - 1)
    return spread(mean, variance, len(nets))
