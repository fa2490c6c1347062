"""The command line of heat."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heat.config.command_line import Grammar, Words, read
from heat.config.options import Common, Options, build, common, read_values, readable
from heat.config.schema import OF_HEAT, OPTIONS
from heat.diagnostics import Diagnostic, dotted, quoted
from heat.text import escaped
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.config.model import Config


class Request(NamedTuple):
    """The request of a command line: one monitor, or a file of them, or what is wrong with it."""

    action: str
    """``help``, ``version`` or ``watch``."""
    options: Options | None = None
    diagnostics: Sequence[Diagnostic] = ()
    common: Common = Common()
    unsound: Options | None = None
    """The options that can be checked though others are wrong."""
    file: str = ""
    """The path that --config gives."""
    config: "Config | None" = None
    """The content of that file, once it has been read."""
    warnings: Sequence[str] = ()
    """Warnings, which do not keep HEAT from watching."""


def parse(text: str, words: Sequence[str]) -> Request:
    """Read a command line; ``text`` is the text of --help."""
    line = read(Grammar("heat", text, options_first=True), words)
    for action in ("help", "version"):
        if f"--{action}" in line.flags:
            return Request(action)
    whole = common(line.values, line.flags)
    if "--config" in line.values or any(each.key == "config" for each in line.diagnostics):
        wrong = [*line.diagnostics, *beside_config(line)]
        return Request("watch", None, wrong, whole, file=line.values.get("--config", ""))
    options, diagnostics = build(line.values, line.operands)
    if line.diagnostics:  # It is uncertain then which words are the command.
        return Request("watch", None, [*line.diagnostics, *diagnostics], whole)
    if options is None:
        return Request("watch", None, diagnostics, whole, readable(line.values, line.operands))
    return Request("watch", options, (), whole)


def beside_config(words: Words) -> list[Diagnostic]:
    """List the mistakes in the options of a HEAT that reads a file."""
    of_heat = {name: value for name, value in words.values.items() if name in OF_HEAT}
    _, diagnostics = read_values(of_heat)
    for option in OPTIONS:
        if option.name not in words.values or option.name in OF_HEAT:
            continue
        value = words.values[option.name]
        line = f"Error: {option.name} '{escaped(value)}' cannot be combined with --config"
        key = option.name.removeprefix("--")
        is_number = option.value in {"SECS", "N", "PID"} and value.isdecimal()
        example = f"{key} = {value if is_number else quoted(value)}"
        hint = f"write it into the file, under [defaults] or [monitor.NAME]: {example}"
        if option.name == "--name":
            hint = f"the name of a table is the monitor's: [monitor.{dotted(value)}]"
        diagnostics.append(Diagnostic(line, hint))
    if words.operands:
        command = escaped(" ".join(words.operands))
        line = f"Error: command '{command}' cannot be combined with --config"
        example = f"command = [{', '.join(map(quoted, words.operands))}]"
        diagnostics.append(Diagnostic(line, f"write it into the file: {example}"))
    return diagnostics
