from trading.models.brackets import Bracket
from trading.models.intents import Idempotency, OrderIntent
from trading.models.rules import Rule, RuleBreak
from trading.models.switches import TradingSwitch

__all__ = ["Bracket", "Idempotency", "OrderIntent", "Rule", "RuleBreak", "TradingSwitch"]
