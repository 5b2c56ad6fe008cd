"""What a fork may add to a sign-in: who may come in, what to do when somebody left, other words for a failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import BoxUnavailable, SignInFailed, SignInRefused
from ..logs import own_logger
from ..problems import Problem
from ..stores.record import TokenRecord
from .user import User

OnSignIn = Callable[[User, TokenRecord], None]
OnSignOut = Callable[[User, str], Any]
OnProblem = Callable[[Problem], Problem | None]
_log = own_logger(__name__)


@dataclass(frozen=True)
class Hooks:
    """The functions that a fork registered, in their order."""

    sign_in: list[OnSignIn] = field(default_factory=list)
    sign_out: list[OnSignOut] = field(default_factory=list)
    problem: list[OnProblem] = field(default_factory=list)

    def let_in(self, record: TokenRecord) -> None:
        """Ask whether the user may sign in. Raises `SignInRefused`, or `SignInFailed` when a hook is broken."""
        for hook in self.sign_in:
            try:
                answer: object = hook(User.of(record), record)
                if answer is not None:  # False, for instance: was that a refusal? Nobody gets in by a slip.
                    raise TypeError(f"on_sign_in hooks return None or raise SignInRefused, not {type(answer).__name__}")
            except (SignInRefused, BoxUnavailable):
                raise
            except Exception:
                _log.exception("the on_sign_in hook %s failed", _name(hook))
                raise SignInFailed("hook_failed") from None

    def tell(self, user: User, reason: str) -> None:
        """Tell that a sign-in has ended; it has, whatever a hook makes of it."""
        for hook in self.sign_out:
            try:
                hook(user, reason)
            except Exception:
                _log.exception("the on_sign_out hook %s failed", _name(hook))

    def reword(self, problem: Problem) -> Problem:
        """Return the problem in the fork's words; in ours where a hook fails."""
        for hook in self.problem:
            try:
                reworded: object = hook(problem) or problem
                if not isinstance(reworded, Problem):
                    raise TypeError(f"on_problem hooks return a Problem or None, not {type(reworded).__name__}")
                texts = (reworded.code, reworded.title, reworded.happened, reworded.todo)
                if not all(isinstance(text, str) for text in texts):
                    raise TypeError("a Problem's code, title, happened and todo are texts")
                problem = reworded
            except Exception:
                _log.exception("the on_problem hook %s failed", _name(hook))
        return problem


def _name(hook: Any) -> str:
    return f"{getattr(hook, '__module__', '')}.{getattr(hook, '__qualname__', hook)}"
