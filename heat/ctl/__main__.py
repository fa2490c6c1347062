"""``python -m heat.ctl``."""

from heat.startup import run

if __name__ == "__main__":
    run("heat.ctl.main")
