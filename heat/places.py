"""Where things are when nobody says: the control socket."""

import os

OF_ROOT = "/run/heat/heat.sock"


def default_control() -> str | None:
    """The control socket of this user's HEAT; None where the system has no place for it."""
    if os.geteuid() == 0:
        return OF_ROOT
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return os.path.join(folder, "heat.sock") if folder.startswith("/") else None
