"""The last check of a monitor, packed into 28 bytes: as objects, ten thousand take 1.4 MB more.

The last line that it printed follows them.
"""

from struct import Struct, error

from heat.checks.outcome import Outcome, exit_code

Packed = bytes | tuple[Outcome, float]
"""A check without a result, or of another century, stays as it is."""

_FIELDS = Struct("=IiddhBB")
_TIMED_OUT, _TERMINAL, _WARNING, _UNKNOWN = 1, 2, 4, 8


def pack(check: Outcome, ended: float) -> Packed:
    """Pack a check that ended at this moment of the monotonic clock."""
    if check.unknown and not check.unknown_by_code:
        return check, ended
    started, code, pid, duration, killed, timed_out, unknown, terminal, text, warning = check
    how = timed_out * _TIMED_OUT | terminal * _TERMINAL | warning * _WARNING
    how |= bool(unknown) * _UNKNOWN
    try:
        packed = _FIELDS.pack(started, pid, duration, ended, code, killed or 0, how)
    except error:
        return check, ended
    return packed + text.encode() if text else packed


def unpack(packed: Packed) -> tuple[Outcome, float]:
    """Return the check, and when it ended."""
    if not isinstance(packed, bytes):
        return packed
    started, pid, duration, ended, code, killed, how = _FIELDS.unpack_from(packed)
    timed_out, terminal, warning = (bool(how & bit) for bit in (_TIMED_OUT, _TERMINAL, _WARNING))
    unknown, text = exit_code(code) if how & _UNKNOWN else "", packed[_FIELDS.size :].decode()
    how_it_went = killed or None, timed_out, unknown, terminal, text, warning
    return Outcome(started, code, pid, duration, *how_it_went), ended
