"""What can go wrong, in one tree: each child is a different thing to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .logs import printable
from .problems import Problem, problems, refusals

if TYPE_CHECKING:
    from box_sdk_gen import BoxAPIError


class BoxAuthError(Exception):
    """Any failure of this package. Its text is safe to show and to log: no token, code or secret is ever in it.

    ``code`` is the short name under which `problems.toml` and the documents explain it; ``detail`` adds what is
    particular to this case, such as Box's own words, on one line.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.problem: Problem = problems()[code]
        self.detail = printable(re.sub(r"[\t\n\v\f\r]+", " ", detail))
        super().__init__(code, self.detail)
        self.__suppress_context__ = True  # also where Python prints it by itself

    @property
    def __context__(self) -> None:
        """Nothing: what was handled when this was raised is often the SDK's error, which quotes the request with its
        tokens and codes; ``from None`` hides that from a printed trace alone, and log collectors look further."""

    @__context__.setter
    def __context__(self, handled: BaseException | None) -> None:
        pass

    def __reduce__(self) -> tuple[Any, ...]:  # so that children with arguments of their own can be copied and pickled
        return _same, (type(self), self.args, vars(self))

    @property
    def code(self) -> str:
        return self.problem.code

    def __str__(self) -> str:
        problem = self.problem
        return " ".join(part for part in (problem.happened, self.detail, problem.todo, f"[{problem.code}]") if part)


class ConfigError(BoxAuthError):
    """The settings are wrong. ``mistakes`` names them all at once, one sentence each. To do: edit `.env`."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("settings", " ".join(mistakes))


class SignInRequired(BoxAuthError):
    """Nobody is signed in here, or no longer. To do: sign in again."""


class SignInFailed(BoxAuthError):
    """A sign-in could not be finished, or Box refuses the app itself. To do: what its page says, then begin anew."""


class SignInRefused(SignInFailed):
    """This app does not let this person in. ``words`` are the app's own, for the person. To do: what they say."""

    def __init__(self, words: str = "") -> None:
        super().__init__("sign_in_refused", words)


class BoxUnavailable(BoxAuthError):
    """Box did not answer, or not with sense. To do: wait ``retry_after`` seconds and try again; nothing is lost."""

    def __init__(self, code: str, detail: str = "", retry_after: int | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(code, detail)


class SignInBusy(BoxUnavailable):
    """Another request holds this user's tokens longer than it should. To do: try again."""

    def __init__(self) -> None:
        super().__init__("sign_in_busy", retry_after=2)


class LockLost(SignInBusy):
    """Somebody else has the user's lock now, as if we were dead; nothing was written. To do: lock and look again."""


class StoreUnavailable(BoxAuthError):
    """The place where tokens are kept cannot be read or written. To do: fix what it names."""


class TokensUnsaved(StoreUnavailable):
    """Box gave new tokens that could not be stored yet; the process keeps trying. To do: fix the store."""


def _same(kind: type[BoxAuthError], args: tuple[str, ...], state: dict[str, Any]) -> BoxAuthError:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


def refusal(error: BoxAPIError) -> BoxAuthError:
    """Name Box's refusal of one call, an error of the SDK's that nothing here foresaw.

    Box's own code is safe to show; the rest of the SDK's error quotes the request, tokens and all.
    """
    status, code = error.response_info.status_code, str(error.response_info.code or "")
    if not code and "insufficient_scope" in _header(error, "www-authenticate"):  # such a 403 has no body
        code = "insufficient_scope"
    known = refusals().get(code) or refusals().get(str(status))
    if known:
        return BoxAuthError(known.code)
    words = f"Box answered {status}" + (f" ({code})." if re.fullmatch(r"[a-z_]{1,60}", code) else ".")
    return BoxAuthError("box_refused", words)


def refused_call(error: BoxAPIError) -> str:
    """Say for a log which call Box refused, and how: path, status, code, message, request id; no query, no body."""
    asked, said = error.request_info, error.response_info
    words = str((said.body or {}).get("message") or "")[:200] if isinstance(said.body, dict) else ""
    path = urlsplit(asked.url).path
    told = f"{asked.method} {path}: {said.status_code} {said.code or ''} {words} (request id {said.request_id or '-'})"
    return printable(re.sub(r"\s+", " ", told))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what is below it, down to the first. The texts of a library's own can have a host's name."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _header(error: BoxAPIError, name: str) -> str:
    return next((value for key, value in error.response_info.headers.items() if key.lower() == name), "")
