"""`python -m baton` and the command `baton`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from baton.cli import app
    from baton.cli.output import say_plainly

    say_plainly()
    app(prog_name="baton")


if __name__ == "__main__":
    main()
