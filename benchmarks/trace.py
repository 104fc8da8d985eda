"""What typing at a human pace costs the engine: requests, and tokens that nobody waited for any more.

With a tiny random model an engine takes a few milliseconds a token, as one on a GPU does. What such a model proposes
means nothing and is hardly ever taken, so the author types every key. It never ends by itself either.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from benchmarks.engine_proxy import Exchange
from benchmarks.replay import Replayed

COMPLETION = {"max_tokens": 24}  # a line of code, which is what most answers are
ANSWERED_SECONDS = 0.1  # from hanging up to the answer, where the server had enough


def cost(replays: Sequence[Replayed]) -> dict[str, Any]:
    """The figures of a trace.

    Wasted is what was generated after the editor had taken a request back: handed on until the server hung up, or
    counted by the engine and not handed on. The token that the engine was at when a client hung up is dropped
    uncounted; `wasted_token_share_at_most` has one for each.

    A pause is answered if there is a proposal at its end, and also if the engine was asked in it and nothing of what it
    said was shown: of a random model's text often nothing fits. `helped_pause_share` leaves these out.
    """
    helped = sum(each.tally.helped for each in replays)
    keys = sum(each.tally.typed + each.tally.taking for each in replays)
    pauses = sum(each.tally.pauses for each in replays)
    exchanges = [exchange for each in replays for exchange in each.exchanges]
    given_up = sum(exchange.is_given_up for exchange in exchanges)
    generated = sum(each.generated for each in replays)
    handed_on = sum(exchange.tokens() for exchange in exchanges)
    wasted = generated - handed_on + sum(_too_late(exchange, each) for each in replays for exchange in each.exchanges)
    return {
        "hunks": len(replays),
        "keystrokes": keys,
        "engine_requests": len(exchanges),
        "requests_given_up": given_up,
        "requests_per_keystroke": len(exchanges) / keys,
        "tokens": generated,
        "wasted_token_share": wasted / max(1, generated),
        "wasted_token_share_at_most": (wasted + given_up) / max(1, generated + given_up),
        "pauses": pauses,
        "answered_pause_share": (helped + sum(map(_answered_with_nothing, replays))) / max(1, pauses),
        "helped_pause_share": helped / max(1, pauses),
        "milliseconds_a_token": _milliseconds_a_token(exchanges),
    }


def _answered_with_nothing(replay: Replayed) -> int:
    """Pauses in which the engine was asked and there was nothing to show."""
    arrived = [exchange.arrived for exchange in replay.exchanges]
    return sum(any(asked <= at <= answered for at in arrived) for asked, answered in replay.tally.empty)


def _too_late(exchange: Exchange, replay: Replayed) -> int:
    """Tokens that were handed on after the cancellation for which the server hung up, if it was for one."""
    if not exchange.is_given_up or exchange.ended is None:
        return 0
    after = bisect_left(replay.answered, exchange.ended)
    if after < len(replay.answered) and replay.answered[after] - exchange.ended < ANSWERED_SECONDS:
        return 0
    before = bisect_right(replay.taken_back, exchange.ended)
    cancelled = replay.taken_back[before - 1] if before else exchange.ended
    return exchange.tokens() - exchange.tokens(until=max(cancelled, exchange.arrived))


def _milliseconds_a_token(exchanges: Sequence[Exchange]) -> float | None:
    """Of the engine, between the first and the last token of an answer."""
    spans = [(each.chunks[-1][0] - each.chunks[0][0], each.tokens() - 1) for each in exchanges if each.tokens() > 1]
    tokens = sum(count for _, count in spans)
    return sum(seconds for seconds, _ in spans) / tokens * 1000 if tokens else None
