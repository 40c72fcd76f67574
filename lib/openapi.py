"""How an endpoint says what it takes and gives: a TypedDict is the shape of an answer, which mypy
holds the code to and the OpenAPI description shows. `Annotated` brings a description, or `More`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

Schema = dict[str, Any]


class More:
    """More of a value's JSON schema, as metadata of `Annotated`."""

    def __init__(self, **words: object) -> None:
        self.words = words


# Exact decimal text, without exponent.
Money = Annotated[str, "Exact decimal text."]
Moment = Annotated[int, "Epoch ms."]
BASIC: dict[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    Any: {},
    object: {},
}


class Problem(TypedDict):
    """Why nothing was done."""

    detail: Annotated[str | list[str], "A sentence."]
    code: NotRequired[Annotated[str, "The same as a word, where the contract has one."]]


@dataclass(frozen=True)
class Rows:
    """`{"rows": [row, …]}`; with `is_paged` also `next`, the cursor of what lies behind."""

    row: type
    is_paged: bool = True

    @property
    def __name__(self) -> str:
        return f"{self.row.__name__}{'Page' if self.is_paged else 'Rows'}"


def gives(shape: object, *problems: int, code: int = 200) -> dict[Any, Any]:
    """`responses` of `extend_schema`: what is given, and which refusals there are beside those of
    every endpoint."""
    return {code: shape, **{problem: OpenApiResponse(Problem) for problem in problems}}


def query(
    name: str,
    shape: Any = str,
    *,
    help_text: str = "",
    choices: tuple[str, ...] | None = None,
    pattern: str | None = None,
) -> OpenApiParameter:
    """A word of the query that may be left out; with `choices` an empty one is as if it were."""
    words = [*choices, ""] if choices else None
    return OpenApiParameter(name, shape, description=help_text, enum=words, pattern=pattern)


UUID_OR_NOTHING = r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"
ACCOUNT = query("account", help_text="An exchange account of one's own.", pattern=UUID_OR_NOTHING)
MARKET = query("market", choices=("spot", "usdm"))
# What `lib.dates.parse_moment` reads, from 1970 to 2199.
MOMENT = (
    r"^(\d{1,12}|[0-6]\d{12}"
    r"|(19[7-9]\d|2[01]\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-](0\d|1[0-3]):[0-5]\d)?)?)?$"
)
DAY = r"^((19[7-9]\d|2[01]\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?$"


def span() -> list[OpenApiParameter]:
    return [
        query("start", help_text="Inclusive; ISO 8601 or epoch ms.", pattern=MOMENT),
        query("end", help_text="Exclusive; ISO 8601 or epoch ms.", pattern=MOMENT),
    ]


def schema_of(hint: Any, name_it: Callable[[Any], Schema]) -> Schema:
    """The JSON schema of a type; `name_it` gives the reference of a shape that has a name. Raises
    TypeError for what JSON cannot hold."""
    origin, args = get_origin(hint), get_args(hint)
    if is_typeddict(hint) or isinstance(hint, Rows):
        return name_it(hint)
    if origin is Annotated:
        more = args[1].words if isinstance(args[1], More) else {"description": args[1]}
        inner = schema_of(args[0], name_it)
        return {**({"allOf": [inner]} if "$ref" in inner else inner), **more}
    if origin is NotRequired:
        return schema_of(args[0], name_it)
    if origin in {Union, UnionType}:
        return _union(args, name_it)
    if origin is Literal:
        return {"type": "string", "enum": list(args)}
    if origin is list:
        return {"type": "array", "items": schema_of(args[0], name_it)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(args[1], name_it)}
    if hint not in BASIC:
        raise TypeError(f"expected a type that JSON can hold, was {hint!r}")
    return dict(BASIC[hint])


def _union(args: tuple[Any, ...], name_it: Callable[[Any], Schema]) -> Schema:
    parts = [schema_of(arg, name_it) for arg in args if arg is not NoneType]
    if NoneType not in args:
        return {"anyOf": parts}
    if len(parts) > 1:
        return {"anyOf": parts, "nullable": True}
    only = {"allOf": parts} if "$ref" in parts[0] else parts[0]
    return {**only, "nullable": True}
