"""A history of a case as an account's rows (money.md 8)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import F

from accounts.models import ExchangeAccount
from journal.books.due import ensure_all
from journal.books.gathering import gather
from journal.books.material import prices_for
from journal.books.prices import keep
from journal.books.proof import Proof, prove
from journal.books.rebuilding import rebuild_due
from journal.models import (
    AssetPrice,
    Book,
    Fill,
    FillMark,
    Income,
    Market,
    OpeningBalance,
    OpeningPosition,
    SeenRules,
    Source,
    Transfer,
)
from journal.sync import rows
from journal.sync.saving import save_fills, save_income, save_transfers
from lib.cash import CASH, DOLLARS
from market.models import FundingRate, Instrument

Json = dict[str, Any]
Kind = Transfer.Kind
LONG_AGO = datetime(2017, 7, 14, tzinfo=UTC)
# Coins that others are quoted in.
QUOTES = sorted((*CASH, "BTC", "ETH", "BNB", "SOL", "TRX", "XRP", "DOGE"), key=len, reverse=True)


class BadCase(ValueError):
    """What was expected of a case."""


class History:
    """One history as an account's rows."""

    def __init__(self, account: ExchangeAccount, case: Json) -> None:
        self.account = account
        self.case = case
        self.now = LONG_AGO
        # of the last moment, as far as they were asked for
        self._last_prices: dict[str, Decimal | None] = {}

    def save(self) -> None:
        fills = [self._spot(row) for row in self.case.get("spot", ())]
        fills += [self._usdm(row) for row in self.case.get("usdm", ())]
        save_fills(self.account, fills)
        save_transfers(self.account, list(self._transfers()))
        save_income(self.account, [self._income(row) for row in self.case.get("income", ())])
        events = [*fills, *Transfer.objects.filter(account=self.account)]
        events += [*Income.objects.filter(account=self.account)]
        self.now = max((event.time for event in events), default=LONG_AGO)
        self._keep_openings(fills)
        self._keep_rules({fill.symbol for fill in fills})
        self._keep_rates(fills)
        for symbol, number in self.case.get("set_aside", ()):
            self._mark(symbol, str(number), FillMark.Kind.ASIDE)
        for symbol, number in self.case.get("keep", ()):
            self._mark(symbol, str(number), FillMark.Kind.KEEP)

    def build(self) -> None:
        ensure_all(self.account)
        self._keep_prices()
        rebuild_due(self.account)
        self._last_prices.clear()
        unbuilt = Book.objects.filter(account=self.account, built__lt=F("version")).first()
        if unbuilt is not None:
            raise BadCase(f"book {unbuilt.name}: {unbuilt.problem or 'not built'}")

    def proof(self, currency: str = "USD") -> Proof:
        return prove([self.account], currency, self.price_of, self.mark_of, self.now)

    def price_of(self, asset: str) -> Decimal | None:
        """Of the last moment."""
        if asset in DOLLARS:
            return Decimal(1)
        told = self.case.get("price", {}).get(asset)
        if told is not None:
            return Decimal(told)
        if asset not in self._last_prices:
            book = Book(account=self.account, market=Market.SPOT, name=asset)
            material = gather(book)
            material.need(asset, self.now)
            ledger = material.compute(prices_for(material))
            price = ledger.worth.price(asset, self.now)
            self._last_prices[asset] = None if price is None else price.dollars
        return self._last_prices[asset]

    def mark_of(self, symbol: str) -> Decimal | None:
        base, _ = split(symbol)
        told = self.case.get("price", {}).get(base)
        if told is not None:
            return Decimal(told)
        fills = Fill.objects.filter(account=self.account, market=Market.USDM, symbol=symbol)
        last = fills.order_by("-time", "-trade_id").first()
        return None if last is None else last.price

    # --- rows -----------------------------------------------------------------------------------

    def _spot(self, row: list[Any]) -> Fill:
        symbol, number, side, price, quantity, fee, coin, time = row
        return self._fill(Market.SPOT, symbol, number, side, price, quantity, fee, coin, time)

    def _usdm(self, row: list[Any]) -> Fill:
        symbol, number, side, price, quantity, fee, coin, time, *more = row
        fill = self._fill(Market.USDM, symbol, number, side, price, quantity, fee, coin, time)
        fill.realized = Decimal(more[0]) if more and more[0] not in (None, "") else None
        fill.position_side = more[1] if len(more) > 1 else "BOTH"
        return fill

    def _fill(self, market: str, symbol: str, number: Any, side: str, *rest: Any) -> Fill:
        price, quantity, fee, coin, time = rest
        base, quote = split(symbol)
        amount = Decimal(price) * Decimal(quantity)
        return Fill(
            account=self.account,
            market=market,
            symbol=symbol,
            trade_id=int(number),
            order_id=int(number),
            base=base,
            quote=quote,
            side=side,
            price=Decimal(price),
            quantity=Decimal(quantity),
            quote_quantity=amount,
            fee=Decimal(fee or 0),
            fee_asset=coin or "",
            is_maker=False,
            time=moment(time),
            source=Source.REST,
        )

    def _transfers(self) -> Iterable[Transfer]:
        case = self.case
        for row in case.get("transfers", ()):
            kind, name, coin, amount, time, *info = row
            yield self._transfer(kind, name, coin, amount, time, info[0] if info else "")
        for number, (coin, amount, time) in enumerate(case.get("dividends", ())):
            yield self._transfer(Kind.DIVIDEND, f"d{number}", coin, amount, time)
        batches = case.get("dribblet", ())
        for batch in [batches] if isinstance(batches, dict) else batches:
            yield from rows.dust(self.account, batch)
        for key, kind in (("converts", Kind.CONVERT), ("swaps", Kind.SWAP)):
            for name, given, given_amount, got, got_amount, time in case.get(key, ()):
                yield self._transfer(kind, name, given, f"-{given_amount}", time)
                yield self._transfer(kind, name, got, got_amount, time)

    def _transfer(
        self, kind: str, name: Any, coin: str, amount: str, time: str, info: str = ""
    ) -> Transfer:
        size, fee = Decimal(amount), Decimal(0)
        if kind == "network_fee":
            kind, fee = Kind.WITHDRAWAL, abs(size)
            size = -fee
        if kind not in Kind.values:  # P2P, card, Pay, a gift
            kind, info = (Kind.DEPOSIT if size > 0 else Kind.WITHDRAWAL), f"{kind} {info}".strip()
            name = f"{info}-{name}"
        return Transfer(
            account=self.account,
            kind=kind,
            external_id=str(name),
            asset=coin,
            amount=size,
            fee=fee,
            time=moment(time),
            info=info,
            source=Source.REST,
        )

    def _income(self, row: list[Any]) -> Income:
        kind, number, coin, symbol, amount, time = row
        return Income(
            account=self.account,
            kind=kind,
            external_id=str(number),
            asset=coin,
            symbol=symbol or "",
            amount=Decimal(amount),
            time=moment(time),
            source=Source.REST,
        )

    # --- what is known beside them ----------------------------------------------------------------

    def _keep_openings(self, fills: list[Fill]) -> None:
        for coin, amount, time in self.case.get("opening", ()):
            OpeningBalance.objects.create(
                account=self.account,
                asset=coin,
                quantity=Decimal(amount),
                time=moment(time),
                why=OpeningBalance.Why.OWNER,
            )
            Book.objects.get_or_create(account=self.account, market=Market.SPOT, name=coin)
        contracts: dict[tuple[str, str], Decimal] = {}
        for fill in fills:
            if fill.market == Market.USDM:
                signed = fill.quantity if fill.side == "BUY" else -fill.quantity
                name = (fill.symbol, fill.position_side)
                contracts[name] = contracts.get(name, Decimal(0)) + signed
        now = _by_contract(self.case.get("position_now"), contracts)
        entries = _by_contract(self.case.get("position_entry"), contracts)
        for name, position in now.items():
            held = contracts.get(name, Decimal(0))
            if position != held:
                Book.objects.get_or_create(account=self.account, market=Market.USDM, name=name[0])
                OpeningPosition.objects.create(
                    account=self.account,
                    symbol=name[0],
                    position_side=name[1],
                    quantity=position - held,
                    reported=position,
                    reported_entry=entries.get(name),
                )

    def _keep_rules(self, symbols: set[str]) -> None:
        """Of a pair without rules only an exact 0 counts as gone, whatever is listed here."""
        SeenRules.objects.filter(
            venue=settings.VENUE, market=Market.SPOT, symbol__in=symbols
        ).delete()
        told: Mapping[str, Any] = self.case.get("rules", {})
        for symbol, rule in {**dict.fromkeys(symbols, ["0", "0"]), **told}.items():
            versions = rule if rule and isinstance(rule[0], list) else [[None, *rule]]
            for time, step, least in versions:
                SeenRules.objects.create(
                    venue=settings.VENUE,
                    market=Market.SPOT,
                    symbol=symbol,
                    seen_at=LONG_AGO if time is None else moment(time),
                    step_size=Decimal(step),
                    min_notional=Decimal(least),
                )

    def _keep_rates(self, fills: list[Fill]) -> None:
        rate = self.case.get("funding_rate")
        for symbol in {fill.symbol for fill in fills if fill.market == Market.USDM}:
            instrument, _ = Instrument.objects.get_or_create(
                venue=settings.VENUE,
                market=Market.USDM,
                symbol=symbol,
                defaults=dict(zip(("base_asset", "quote_asset"), split(symbol), strict=True)),
            )
            lines = Income.objects.filter(account=self.account, symbol=symbol)
            minutes = {line.time.replace(second=0, microsecond=0) for line in lines}
            FundingRate.objects.filter(instrument=instrument, time__in=minutes).delete()
            FundingRate.objects.bulk_create(
                FundingRate(instrument=instrument, time=minute, rate=Decimal(rate or 0))
                for minute in (minutes if rate is not None else ())
            )

    def _keep_prices(self) -> None:
        """At every minute that the books ask for, as told; nothing else is known."""
        told: Mapping[str, str] = self.case.get("price", {})
        moving = self.case.get("prices", {})
        AssetPrice.objects.filter(venue=settings.VENUE).delete()
        prices: dict[tuple[str, datetime], Decimal] = {}
        for coin, points in moving.items():
            for time, price in points:
                prices[coin, moment(time).replace(second=0, microsecond=0)] = Decimal(price)
        books = Book.objects.filter(account=self.account).select_related("account__user")
        for book in books if told else ():
            for asset, minute in gather(book).needs:
                if asset in told:
                    prices[asset, minute] = Decimal(told[asset])
        keep(
            [
                AssetPrice(venue=settings.VENUE, asset=asset, minute=minute, symbol="", price=price)
                for (asset, minute), price in prices.items()
            ]
        )

    def _mark(self, symbol: str, fill: str, kind: str) -> None:
        FillMark.objects.get_or_create(
            account=self.account, market=Market.SPOT, symbol=symbol, fill=fill, kind=kind
        )


def _by_contract(
    told: Any, contracts: Mapping[tuple[str, str], Decimal]
) -> dict[tuple[str, str], Decimal]:
    """One number is that of the only contract."""
    if told is None:
        return {}
    if isinstance(told, dict):
        return {_contract(name): Decimal(value) for name, value in told.items()}
    names = list(contracts)
    if len(names) != 1:
        raise BadCase(f"position_now: expected one for each of {len(names)} contracts")
    return {names[0]: Decimal(told)}


def _contract(name: str) -> tuple[str, str]:
    symbol, _, side = name.partition(":")
    return symbol, side or "BOTH"


def split(symbol: str) -> tuple[str, str]:
    """(base, quote) by the longest quote that fits; a quarterly's ending is no part of it."""
    pair = symbol.partition("_")[0]
    for quote in QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return pair[: -len(quote)], quote
    raise BadCase(f"symbol: expected a pair with a known quote, was {symbol!r}")


def moment(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise BadCase(f"time: expected one with its zone, was {text!r}")
    return time.astimezone(UTC) + timedelta(0)
