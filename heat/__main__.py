"""``python -m heat``: the program heat."""

from heat.startup import run

if __name__ == "__main__":
    run("heat.app.cli")
