"""Orders that wait for something, as the exchange says them: conditional orders, which USD-M keeps
apart from ordinary ones, and lists of spot orders that belong together."""

from typing import ClassVar

from django.db import models

from journal.models.exchange import Market, OfAccount, OwnedManager


class ConditionalOrder(OfAccount):
    """A conditional order as its service last said it is. When it triggers, an ordinary order
    appears."""

    market = models.CharField(max_length=8, choices=Market.choices, default=Market.USDM)
    symbol = models.CharField(max_length=40)
    algo_id = models.BigIntegerField()
    client_id = models.CharField(max_length=64)
    side = models.CharField(max_length=4)
    position_side = models.CharField(max_length=5, default="BOTH")
    type = models.CharField(max_length=24)
    time_in_force = models.CharField(max_length=8, blank=True)
    # text, since the exchange may add to it
    status = models.CharField(max_length=24)
    # 0: it has none (a trailing stop)
    trigger_price = models.DecimalField(max_digits=32, decimal_places=12)
    # of the order that a trigger makes; 0: at the market
    price = models.DecimalField(max_digits=32, decimal_places=12, default=0)
    # 0: whatever the position is by then
    quantity = models.DecimalField(max_digits=32, decimal_places=12, default=0)
    closes_position = models.BooleanField(default=False)
    is_reduce_only = models.BooleanField(default=False)
    working_type = models.CharField(max_length=16, blank=True)
    # of a trailing stop: where it begins to follow, and how far behind, in percent
    activate_price = models.DecimalField(max_digits=32, decimal_places=12, null=True)
    callback_rate = models.DecimalField(max_digits=8, decimal_places=4, null=True)
    # the ordinary order that its trigger made (`Order.order_id`), and what that came to
    made_order_id = models.BigIntegerField(null=True)
    executed = models.DecimalField(max_digits=32, decimal_places=12, default=0)
    average_price = models.DecimalField(max_digits=32, decimal_places=12, null=True)
    # why it came to nothing, in the exchange's words
    reason = models.CharField(max_length=200, blank=True)
    time = models.DateTimeField()
    triggered_at = models.DateTimeField(null=True)
    # the exchange's own time of the last change: an older message never undoes a newer one
    changed_at = models.DateTimeField()

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "market", "algo_id"], name="conditional_order_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account", "market", "symbol", "time"], name="conditionals_by_time"
            ),
            models.Index(
                fields=["account", "made_order_id"],
                condition=models.Q(made_order_id__isnull=False),
                name="conditionals_by_order",
            ),
        ]
        ordering: ClassVar = ["-time"]

    def __str__(self) -> str:
        return f"{self.type} {self.side} {self.symbol} at {self.trigger_price} {self.status}"


class OrderList(OfAccount):
    """Spot orders of which one cancels or begins another; they name it as `Order.list_id`."""

    symbol = models.CharField(max_length=40)
    list_id = models.BigIntegerField()
    client_id = models.CharField(max_length=64)
    # OCO or OTO
    contingency = models.CharField(max_length=8)
    # EXECUTING, ALL_DONE, REJECT
    status = models.CharField(max_length=16)
    time = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "list_id"], name="order_list_once")
        ]
        ordering: ClassVar = ["-time"]

    def __str__(self) -> str:
        return f"{self.contingency} {self.symbol} {self.status}"
