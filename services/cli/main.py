"""`civic-ledger`: every command, and how its errors are told."""

import sys

import typer

from services.cli import audit, imports, models, reading, receipts, running, transparency, witness
from services.cli.context import add_setting_flags
from services.errors import KNOWN_ERRORS, meaning

app = typer.Typer(
    name="civic-ledger",
    help="The civic participation ledger: choices, counts, decisions and services, all from one log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
running.add_commands(app)
models.add_commands(app)
reading.add_commands(app)
transparency.add_commands(app)
app.add_typer(receipts.app, name="receipt")
app.add_typer(witness.app, name="witness")
app.add_typer(imports.app, name="import")
add_setting_flags(app)
audit.add_commands(app)  # after the flags: it reads public files and none of the ledger's settings


def main() -> None:
    """Run the command line; exits with 0, or as `services.errors` says."""
    try:
        app(prog_name="civic-ledger")
    except KNOWN_ERRORS as error:
        sys.stderr.write(f"civic-ledger: {error}\n")
        sys.exit(meaning(error).exit_code)
