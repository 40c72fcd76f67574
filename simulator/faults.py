"""What goes wrong on purpose, seeded so that a run can be repeated."""

import random
from dataclasses import asdict, dataclass, fields


@dataclass
class Faults:
    """Probabilities per frame, and seconds between cuts (0: never)."""

    drop: float = 0.0
    double: float = 0.0
    swap: float = 0.0
    cut_every: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def change(self, wanted: dict[str, object]) -> None:
        """Raises ValueError for an unknown fault or a value that is no number."""
        known = {item.name for item in fields(self)}
        for name, value in wanted.items():
            if name not in known or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"expected {sorted(known)} with numbers >= 0, was {name}={value}")
            setattr(self, name, value)
        if "seed" in wanted:
            self.rng = random.Random(self.seed)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def send_plan(self, frame: str, held: list[str]) -> list[str]:
        """The frames to send now for one frame that is due. `held` keeps a frame that changes
        places with the one behind it; it belongs to the connection."""
        roll = self.rng.random
        if self.drop and roll() < self.drop:
            return []
        frames = [frame, frame] if self.double and roll() < self.double else [frame]
        if held:
            frames.append(held.pop())
        elif self.swap and roll() < self.swap:
            held.append(frame)
            return frames[1:]
        return frames
