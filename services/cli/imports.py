"""`civic-ledger import`: real ballots, areas and rolls, through the same commands as a citizen's click."""

import typer

app = typer.Typer(help="Bring in ballots, areas and rolls.", no_args_is_help=True)
