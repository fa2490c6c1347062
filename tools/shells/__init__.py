"""The completion scripts of bash, zsh and fish, made from the texts of --help."""

from tools.programs import Program
from tools.shells import bash, fish, zsh


def script(shell: str, program: Program) -> str:
    """Return the script that this shell loads for a program."""
    lines = {"bash": bash.lines, "zsh": zsh.lines, "fish": fish.lines}[shell](program)
    title = f"# Completion of {program.name}; 'heatctl completion {shell}' prints it."
    head = [f"#compdef {program.name}", title] if shell == "zsh" else [title]
    return "\n".join([*head, *lines]) + "\n"
