"""Modules that are loaded on first use, for a library that imports more than it needs."""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec


def load_late(name: str) -> None:
    """Have a module loaded when its first attribute is read, if it is not loaded yet."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is not None and spec.loader is not None:
        spec.loader = loader = LazyLoader(spec.loader)
        module = sys.modules[name] = module_from_spec(spec)
        loader.exec_module(module)
