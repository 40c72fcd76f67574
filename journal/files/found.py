"""What a file says, row by row, before anybody knows whose it is."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from journal.faults import Fault

ZERO = Decimal(0)
# Reasons that are kept word for word; the rest is counted.
MOST_KEPT = 1000


@dataclass(slots=True)
class Place:
    """Where a row stands: its file (an archive has several), its line, and what its clock said."""

    member: str
    line: int
    moment: datetime
    zone: tzinfo | None

    def at(self, zone: tzinfo | None) -> datetime:
        """In UTC; `zone` for a clock that names none."""
        return self.moment.replace(tzinfo=self.zone or zone or UTC).astimezone(UTC)


@dataclass(slots=True)
class FoundFill:
    """`trade_id` None: the export tells none. `rank` is the order in time among rows of one
    second."""

    place: Place
    market: str
    symbol: str
    base: str
    quote: str
    side: str
    price: Decimal
    quantity: Decimal
    value: Decimal
    fee: Decimal
    fee_asset: str
    position_side: str = "BOTH"
    realized: Decimal | None = None
    is_maker: bool = False
    trade_id: int | None = None
    order_id: int = 0
    from_statement: bool = False
    rank: int = 0


@dataclass(slots=True)
class FoundTransfer:
    """Signed. Both halves of a conversion have one `group`; `teller` is the export that says it."""

    place: Place
    kind: str
    asset: str
    amount: Decimal
    operation: str
    teller: str
    wallet: str = "spot"
    fee: Decimal = ZERO
    group: int | None = None


@dataclass(slots=True)
class StatementRow:
    """One line of the statement, before it is known what it belongs to."""

    place: Place
    wallet: str
    operation: str
    asset: str
    amount: Decimal


@dataclass(slots=True)
class FoundIncome:
    """A line of the futures wallet; `external_id` empty: the export tells none."""

    place: Place
    kind: str
    asset: str
    symbol: str
    amount: Decimal
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    member: str
    line: int
    fault: Fault


@dataclass
class Part:
    """One table: its kind, how many rows it gave, and the zone that it names."""

    member: str
    kind: str
    rows: int = 0
    zone: tzinfo | None = None
    has_rows: bool = False


@dataclass
class Reading:
    parts: list[Part] = field(default_factory=list)
    fills: list[FoundFill] = field(default_factory=list)
    transfers: list[FoundTransfer] = field(default_factory=list)
    incomes: list[FoundIncome] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    # symbol -> its two coins, as rows have told them
    coins: dict[str, tuple[str, str]] = field(default_factory=dict)
    # of statements, until they are put together
    pending: list[StatementRow] = field(default_factory=list)
    left_out_count: int = 0

    @property
    def kind(self) -> str:
        """`spot`, `usdm`, `statement`, …; of an archive of several kinds `spot+usdm`."""
        return "+".join(dict.fromkeys(part.kind for part in self.parts))

    @property
    def needs_zone(self) -> bool:
        return any(row.place.zone is None for row in self.rows)

    @property
    def rows(self) -> list[FoundFill | FoundTransfer | FoundIncome]:
        return [*self.fills, *self.transfers, *self.incomes]

    def leave_out(self, member: str, line: int, fault: Fault) -> None:
        self.left_out_count += 1
        if len(self.left_out) < MOST_KEPT:
            self.left_out.append(LeftOut(member, line, fault))
