"""What limits a call: the settings, the budgets that follow from them, and the words of a refusal.

Where calls are counted is `rate_limiter`'s and its kin's; how many run at once is `call_slots`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from .errors import RateLimited, ToolError
from .rate_window import Budget, Verdict, whole_seconds

WINDOW = 60
STORES = ("memory", "postgresql")
# Methods that work for the caller. Listing and what is part of a connection is free.
COUNTED = frozenset({"tools/call", "resources/read", "prompts/get", "completion/complete"})
# Methods that leave something behind: a session, a stream, a subscription. They have budgets of their own.
OPENING = frozenset({"initialize", "resources/subscribe", "subscriptions/listen"})
# A user's tokens together may open so many times as much as one of them.
USER_CONNECTS = 2


@dataclass(frozen=True)
class Limits:
    """The settings. 0 switches a limit off; `concurrent` 0 leaves one worker of the server to Odoo's users.

    :param calls: of one token in a minute, likewise `writes` and `heavy`; `user_calls` of all tokens of a user
    :param connects: sessions, streams and subscriptions that one token opens in a minute
    :param concurrent: calls that run at the same time in one server; `concurrent_token` those of one token
    :param read_seconds: for one statement of a reading tool; `call_seconds` for a whole call
    :param job_seconds: for a whole call that runs as a job, or one part of it
    :param jobs_open: jobs of one user that wait or run; `jobs_running` those of them that run
    :param job_days: how long the result of a job is kept
    """

    calls: int = 60
    user_calls: int = 120
    writes: int = 30
    heavy: int = 20
    connects: int = 120
    store: str = "memory"
    redis_url: str = field(default="", repr=False)
    concurrent: int = 0
    concurrent_token: int = 4
    read_seconds: int = 30
    call_seconds: int = 60
    job_seconds: int = 100
    jobs_open: int = 20
    jobs_running: int = 1
    job_days: int = 7

    @classmethod
    def from_parameters(cls, stored: Mapping[str, str]) -> Limits:
        """Read settings by name; what is missing or no number is the default."""
        found: dict[str, object] = {}
        for name, default in DEFAULTS.items():
            text = (stored.get(name) or "").strip()
            if isinstance(default, int):
                found[name] = min(int(text), 10**9) if text.isdecimal() else default
            else:
                found[name] = text or default
        if found["store"] not in STORES:
            found["store"] = DEFAULTS["store"]
        return cls(**found)


DEFAULTS: dict[str, int | str] = {name: definition.default for name, definition in Limits.__dataclass_fields__.items()}


@lru_cache(maxsize=1024)
def budgets(
    limits: Limits, *, token_id: int, user_id: int, profile_calls: int, is_write: bool, is_heavy: bool
) -> tuple[Budget, ...]:
    """Return the budgets that one call uses, those that are switched off left out.

    :param profile_calls: calls in a minute that the token's profiles leave it, 0 for no limit of theirs
    """
    calls = min((number for number in (limits.calls, profile_calls) if number), default=0)
    wanted = [
        (f"token:{token_id}:calls", "calls", calls),
        (f"user:{user_id}:calls", "calls by all of this user's connections", limits.user_calls),
        (f"token:{token_id}:writes", "changing calls", limits.writes if is_write else 0),
        (f"token:{token_id}:heavy", "heavy calls (import, batch, report, full-text search)", limits.heavy * is_heavy),
    ]
    return tuple(Budget(key, name, limit, WINDOW) for key, name, limit in wanted if limit)


def opening_budgets(limits: Limits, *, token_id: int, user_id: int) -> tuple[Budget, ...]:
    """Return the budgets that opening a session, a stream or a subscription uses, none where that is not limited."""
    name = "new sessions, streams and subscriptions"
    wanted = [
        (f"token:{token_id}:connects", name, limits.connects),
        (f"user:{user_id}:connects", f"{name} by all of this user's connections", USER_CONNECTS * limits.connects),
    ]
    return tuple(Budget(key, name, limit, WINDOW) for key, name, limit in wanted if limit)


def resuming_budgets(limits: Limits, *, token_id: int) -> tuple[Budget, ...]:
    """Return the budgets of streams held for the answers to calls: whoever comes back for many can still connect."""
    if not limits.connects:
        return ()
    return (Budget(f"token:{token_id}:resumes", "streams for answers", limits.connects, WINDOW),)


def used_up(verdict: Verdict) -> RateLimited:
    """Return the refusal of a call that does not fit its budget."""
    budget, wait = verdict.budget, whole_seconds(verdict.retry_after)
    message = f"The limit of {budget.limit} {budget.name} per minute is reached. Wait {wait} s, then call again."
    return RateLimited("rate_limited", message, wait)


def busy(whose: str) -> RateLimited:
    """Return the refusal of a call that finds no room beside those that run."""
    message = f"Too many calls of {whose} are running. Nothing was done. Wait a second, then call again, one at a time."
    return RateLimited("busy", message, 1)


def as_tool_error(refusal: RateLimited) -> ToolError:
    """Return the same refusal as an error that a model reads."""
    fix = "Fewer, larger calls get further: raise limit, or put several steps into odoo_batch."
    return ToolError(
        refusal.reason, refusal.message, fix=fix, retryable=True, details={"retry_after": refusal.retry_after}
    )


def remaining(verdict: Verdict) -> dict[str, int]:
    """Return what `_meta.rate_limit` says about the budget that is closest to its end."""
    return {"limit": verdict.budget.limit, "remaining": verdict.remaining, "window_seconds": verdict.budget.window}
