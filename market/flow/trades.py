"""One trade, as the flow sees it: exact integers, no exchange's spelling."""

import msgspec


class Trade(msgspec.Struct, gc=False):
    """`price` and `quantity` (base asset) are scaled by 1e-8; `time` is the exchange's trade time T
    in the tape's unit (us or ms). `is_buyer_maker` means that the seller was the taker. Rows that
    are known by their id but are no flow (zero, insurance fund, ADL) have `is_flow` False."""

    id: int
    price: int
    quantity: int
    time: int
    is_buyer_maker: bool
    is_flow: bool = True
