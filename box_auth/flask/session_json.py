"""How a session is written down: a JSON object. Anything else that was put in its place reads as no session."""

from __future__ import annotations

from typing import IO, Any

from cachelib.serializers import JSONSerializer


class SessionJson(JSONSerializer):
    """Never a pickle, whoever planted it."""

    def load(self, f: IO[bytes], *args: Any, **kwargs: Any) -> Any:
        return _object(super().load(f, *args, **kwargs))

    def loads(self, bvalue: Any, *args: Any, **kwargs: Any) -> Any:
        return None if bvalue is None else _object(super().loads(bvalue, *args, **kwargs))


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) else None
