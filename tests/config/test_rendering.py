"""JSON of the API: what it means is what Django REST framework's own says, however it is made."""

import json
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import Serializer
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList

from config.rendering import QuickJSONRenderer

MOMENT = datetime(2026, 3, 2, 10, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        {"t": 1, "open": "1.50", "closed": True, "last_id": None, "x": 0.1},
        [1, 2.5, "é 한 \u2028 \u2029 </script>", 1e22, 1e-9, -0.0],
        {"at": MOMENT, "later": MOMENT + timedelta(microseconds=5), "day": date(2026, 3, 2)},
        {"without a zone": MOMENT.replace(tzinfo=None)},
        {"share": Decimal("1.50"), "id": UUID(int=7), 5: "a number as a key"},
        {"lazy": gettext_lazy("Month"), "rows": (1, 2), "set": OrderedDict(a=1)},
        ReturnDict({"a": 1}, serializer=Serializer()),
        ReturnList([{"a": 1}], serializer=Serializer()),
        {"large": 10**30},
        {"key": {MOMENT.date().isoformat(): {}}},
        "",
        None,
    ],
)
def test_it_means_the_same(data: Any) -> None:
    mine, by_the_book = QuickJSONRenderer().render(data), JSONRenderer().render(data)
    if not by_the_book:
        assert mine == by_the_book
        return
    assert json.loads(mine) == json.loads(by_the_book)
    for end in ("\u2028".encode(), "\u2029".encode()):
        assert end not in mine


def test_who_asks_for_an_indent_gets_one() -> None:
    asked = "application/json; indent=2"
    assert QuickJSONRenderer().render({"a": 1}, asked) == b'{\n  "a": 1\n}'


def test_what_nothing_knows_is_still_an_error() -> None:
    with pytest.raises(TypeError):
        QuickJSONRenderer().render({"x": object()})
