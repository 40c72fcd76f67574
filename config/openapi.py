"""The OpenAPI description: names without collisions, shapes of answers as components, and the
refusals that every endpoint may give."""

from collections.abc import Callable
from typing import Any, get_type_hints, is_typeddict

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiResponse

from lib.openapi import Problem, Rows, Schema, schema_of

READS = {"get": "read", "post": "send", "put": "put", "patch": "change", "delete": "remove"}
WITH_BODY = {"post", "put", "patch", "delete"}
INVALID: Schema = {
    "type": "object",
    "description": "Sentences by the name of what they are about (`detail`: the whole request); "
    "where there is a `code`, `detail` is the one sentence.",
    "minProperties": 1,
    "additionalProperties": {},
}
NEXT: Schema = {
    "type": "string",
    "nullable": True,
    "description": "The `cursor` of the rows behind these; null: there are none.",
}
SECONDS: Schema = {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds to wait."}
TEXTS = {
    400: "Something in the request is not as expected.",
    401: "Nobody is signed in, or the token is not known, not signed, or over.",
    403: "Not with this token, from this network, or without confirming first.",
    404: "There is no such thing of yours.",
    409: "As things stand this cannot be done.",
    413: "The body is too large.",
    415: "Expected JSON.",
    422: "The Idempotency-Key was used for something else.",
    429: "Too many requests of this kind.",
    503: "What is needed for it cannot be asked just now; nothing was done.",
}


class Described(AutoSchema):
    """Knows TypedDicts and `Rows`."""

    def get_operation_id(self) -> str:
        """`read_trades`, `read_trades_by_trade_id`: from method and path, so that no two agree."""
        words = [
            f"by_{part[1:-1]}" if part.startswith("{") else part.replace("-", "_")
            for part in self.path.strip("/").split("/")[1:]
        ]
        return "_".join([READS[self.method.lower()], *words])

    def map_parsers(self) -> list[str]:
        return ["application/json"]

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: Any = None,
        direction: str = "response",
    ) -> Schema:
        if isinstance(serializer, OpenApiResponse):
            serializer = serializer.response
        if is_typeddict(serializer) or isinstance(serializer, Rows):
            serializer = self._named(serializer)
        answer: Schema = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, media_types, direction
        )
        return {**answer, "description": TEXTS.get(int(status_code), answer["description"])}

    def _get_request_for_media_type(
        self, serializer: Any, direction: str = "request"
    ) -> tuple[Schema | None, bool]:
        if is_typeddict(serializer):
            return self._named(serializer), bool(serializer.__required_keys__)
        schema: tuple[Schema | None, bool] = super()._get_request_for_media_type(  # type: ignore[no-untyped-call]
            serializer, direction
        )
        return schema

    def _named(self, shape: Any) -> Schema:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=shape.__name__, type=ResolvedComponent.SCHEMA, schema={}, object=shape
        )
        if component not in self.registry:
            self.registry.register(component)
            component.schema = _object(shape, self._named)
        return component.ref


def refusals(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """A hook behind the description's making: what every endpoint may answer beside its own."""
    schemas = result["components"]["schemas"]
    schemas.update(Invalid=INVALID, Problem=_object(Problem, _unnamed))
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            codes = {400, 401, 403, 429, 503}
            codes |= {404} if "{" in path else set()
            codes |= {413, 415} if method in WITH_BODY else set()
            responses = operation["responses"]
            for code in codes:
                responses.setdefault(str(code), _refusal(code))
            responses["429"]["headers"] = {"Retry-After": SECONDS}
            operation["responses"] = dict(sorted(responses.items()))
    return result


def _object(shape: Any, name_it: Callable[[Any], Schema]) -> Schema:
    if isinstance(shape, Rows):
        rows = {"type": "array", "items": schema_of(shape.row, name_it)}
        properties = {"rows": rows, **({"next": NEXT} if shape.is_paged else {})}
        return {"type": "object", "properties": properties, "required": sorted(properties)}
    hints = get_type_hints(shape, include_extras=True)
    schema: Schema = {
        "type": "object",
        "properties": {name: schema_of(hint, name_it) for name, hint in hints.items()},
    }
    if shape.__required_keys__:
        schema["required"] = sorted(shape.__required_keys__)
    if shape.__doc__:
        schema["description"] = shape.__doc__
    return schema


def _unnamed(shape: Any) -> Schema:
    raise TypeError(f"expected nothing that has a name, was {shape!r}")


def _refusal(code: int) -> Schema:
    name = "Invalid" if code == 400 else "Problem"
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": TEXTS[code], "content": {"application/json": {"schema": schema}}}
