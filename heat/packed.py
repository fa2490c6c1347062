"""The last check of a monitor in 28 bytes: of ten thousand, objects take 1.4 MB more.

Its last line, if it has printed any, stands behind them.
"""

from struct import Struct, error

from heat.journal import Checked

Packed = bytes | tuple[Checked, float]
"""One without a result, or of another century, is kept as it is."""

_FIELDS = Struct("=IiddhBB")


def pack(check: Checked, ended: float) -> Packed:
    """A check that ended at this moment of the monotonic clock."""
    if check.unknown:
        return check, ended
    started, code, pid, duration, killed, timed_out, _, terminal, text = check
    how = timed_out + 2 * terminal
    try:
        packed = _FIELDS.pack(started, pid, duration, ended, code, killed or 0, how)
    except error:
        return check, ended
    return packed + text.encode() if text else packed


def unpack(packed: Packed) -> tuple[Checked, float]:
    """The check, and when it ended."""
    if not isinstance(packed, bytes):
        return packed
    started, pid, duration, ended, code, killed, how = _FIELDS.unpack_from(packed)
    terminal, timed_out, text = how > 1, bool(how % 2), packed[_FIELDS.size :].decode()
    values = started, code, pid, duration, killed or None, timed_out, "", terminal, text
    return Checked(*values), ended
