"""Topics that each user has an own one of; apps above the market name them when they start."""

_names: set[str] = set()


def register(*names: str) -> None:
    _names.update(names)


def is_private(topic: str) -> bool:
    return topic in _names


def private_topic(name: str, user_id: int) -> str:
    """The hub's name of a user's own topic; no client can ask for it by that name."""
    return f"{name}:{user_id}"


def hub_topic(topic: str, user_id: int) -> str:
    return private_topic(topic, user_id) if topic in _names else topic
