"""The first steps of HEAT, before it imports anything else, and its last one.

A watchdog lives in its service's environment. There PYTHONPATH may name folders with a
``signal.py``, a ``states/`` or a ``heat/``, and the folder that HEAT starts in may hold them as
well. HEAT imports nothing from these; what it starts finds the variable as it was.
"""

import gc
import os
import sys

TYPE_CHECKING = False  # Of typing, which is not imported yet.
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

EXIT_USAGE = 2
_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder that HEAT is installed in."""
_LIBRARY = os.path.dirname(os.__file__)
"""Python's own library; its compiled modules are in a folder below."""
_NO_MEMORY = b"error: no memory is left: raise its limit (ulimit -v, MemoryMax=)\n"


def run(module: str, path: "list[str] | None" = None) -> "NoReturn":
    """Run the ``main`` of a module, and end with its exit status.

    ``path`` is ``sys.path`` as Python made it, if it has changed since.
    """
    try:
        if getattr(sys, "frozen", False):  # A one-file binary, as PyInstaller makes them.
            _forget_bundle()
            if sys.argv[1:2] == ["-m"]:  # As heat.process.helper starts one.
                _end(_main_of(sys.argv[2])(*sys.argv[3:]))
        else:
            sys.path[:] = _own_path(sys.path if path is None else path)
        if module == "heat.app.cli":
            gc.disable()  # Imports set off garbage collections that find nothing.
            from heat.process import inherited  # noqa: PLC0415 - now that it is HEAT's own path

            inherited.put_right()  # Before anything that takes time to load.
        code = _main_of(module)()
    except (ImportError, MemoryError, OSError, SystemError) as error:
        try:
            code = _refuse(module, error)
        except MemoryError:  # Not even enough for a sentence.
            os.write(2, _NO_MEMORY)
            os._exit(EXIT_USAGE)
        if isinstance(error, (MemoryError, SystemError)):
            os._exit(code)  # Python's own end needs memory, and would have the last word.
    _end(code)


def _main_of(module: str) -> "Callable[..., int]":
    main: Callable[..., int] = __import__(module, fromlist=["main"]).main
    return main


def _own_path(path: list[str]) -> list[str]:
    """Return ``path`` without the folder of the script (the current one, for -m) and PYTHONPATH."""
    rest = path if sys.flags.safe_path else path[1:]
    foreign = _foreign()
    own = [folder for folder in rest if folder not in foreign]
    if len(own) < len(rest):
        # Python lists a folder once, and in PYTHONPATH's place if it stands there too.
        both = [folder for folder in rest if folder in foreign]
        own = [folder for folder in both if folder.startswith(_LIBRARY)] + own
        of_site = set(_of_site())
        own += [folder for folder in both if folder in of_site]
    return own if _OWN in own else [*own, _OWN]


def _foreign() -> set[str]:
    """Return the folders of PYTHONPATH, as Python writes them into ``sys.path``."""
    value = os.environ.get("PYTHONPATH")
    folders = value.split(os.pathsep) if value else []
    try:
        return {os.path.abspath(folder) for folder in folders}
    except FileNotFoundError:  # The current folder is gone, and names in it lead nowhere.
        return set(folders)


def _of_site() -> "Iterator[str]":
    """Yield the folders of installed packages, and those that a .pth file names there."""
    import site  # noqa: PLC0415 - Python has loaded it, but with -S

    folders = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    for folder in folders:
        yield folder
        try:
            for name in os.listdir(folder):
                if name.endswith(".pth"):
                    with open(os.path.join(folder, name), errors="replace") as file:
                        for line in file:
                            yield os.path.abspath(os.path.join(folder, line.strip()))
        except OSError:
            continue  # It is not there, or not for this user, and so not for Python.


def _forget_bundle() -> None:
    """Undo what the bundle set for itself, as the programs that HEAT starts are not part of it."""
    environ = os.environ
    original = environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if original is not None:
        environ["LD_LIBRARY_PATH"] = original
    elif environ.get("LD_LIBRARY_PATH", "").startswith(getattr(sys, "_MEIPASS", "/")):
        del environ["LD_LIBRARY_PATH"]
    for name in [name for name in environ if name.startswith(("_PYI_", "_MEIPASS"))]:
        del environ[name]


def _refuse(module: str, error: Exception) -> int:
    """Print in one line why HEAT ends before it has begun; return its exit status."""
    program = "heatctl" if module.startswith("heat.ctl") else "heat"
    reason = str(error).replace("\n", " ")
    if (
        isinstance(error, (MemoryError, SystemError))
        or "memory" in reason
        or "map segment" in reason
    ):
        reason = "no memory is left: raise its limit (ulimit -v, MemoryMax=)"
    elif isinstance(error, ImportError):
        reason = f"a file of HEAT's own cannot be loaded: {reason}: install HEAT again"
    try:  # noqa: SIM105 - contextlib may be what could not be imported
        os.write(2, f"{program}: error: {reason}\n".encode(errors="backslashreplace"))
    except OSError:
        pass  # It is closed.
    return EXIT_USAGE


def _end(code: int) -> "NoReturn":
    """Exit, also with PYTHONINSPECT: there Python prints SystemExit as an error and prompts."""
    if sys.flags.inspect:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)
    sys.exit(code)
