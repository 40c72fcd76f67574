"""Which tables lead to a user (`settings.PRIVACY`, told by `config`), and what else an erasure asks
and does; apps above register that."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from accounts.models import User

# A sentence that stops an erasure, or None.
Refusal = Callable[[User], str | None]
Before = Callable[[User], None]
_refusals: list[Refusal] = []
_before: list[Before] = []


def register_refusal(refusal: Refusal) -> None:
    if refusal not in _refusals:
        _refusals.append(refusal)


def register_before_erasure(act: Before) -> None:
    """Files and Redis keys, say; called when the user cannot sign in any more."""
    if act not in _before:
        _before.append(act)


def refusals(user: User) -> list[str]:
    return [sentence for refusal in _refusals if (sentence := refusal(user))]


def before_erasure(user: User) -> None:
    for act in _before:
        act(user)


def exported() -> dict[type[Model], str]:
    """Model -> how a row leads to its user, in the list's order."""
    return {apps.get_model(name): path for name, path in lists().EXPORTED.items()}


def led_to_user() -> dict[type[Model], str]:
    """The same for every table that an erasure takes."""
    left_out = {apps.get_model(name): path for name, (path, _) in lists().LEFT_OUT.items()}
    return {**exported(), **left_out}


@cache
def lists() -> ModuleType:
    return import_module(settings.PRIVACY)


def paths_to_user(model: type[Model], seen: frozenset[type[Model]] = frozenset()) -> list[str]:
    """Every chain of foreign keys from a model to the user, as a look-up; for the test that walks
    the models."""
    if model is User:
        return ["pk"]
    paths = []
    for field in model._meta.concrete_fields:
        target = field.related_model
        if not isinstance(target, type) or target in seen | {model}:
            continue
        for rest in paths_to_user(target, seen | {model}):
            paths.append(field.name if rest == "pk" else f"{field.name}__{rest}")
    return paths
