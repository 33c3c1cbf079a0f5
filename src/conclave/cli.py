"""The command `conclave`. Everything heavy is imported inside the command that needs it, so that
`conclave --help` answers at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

import conclave

if TYPE_CHECKING:
    from conclave.settings import Settings

app = typer.Typer(
    name="conclave",
    help="Video meetings in one self-hosted program.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def serve() -> None:
    """Run the server until it is told to stop."""
    import gc

    gc.disable()  # a tenth of the time to start; `run` switches it on again
    settings = _settings()
    from conclave.serve import run

    raise typer.Exit(run(settings))


@app.command()
def doctor() -> None:
    """Check what the server needs; one line of repair for each fault."""
    settings = _settings()
    from conclave.doctor import run

    raise typer.Exit(run(settings))


@app.command(name="operator-link")
def operator_link() -> None:
    """Print a fresh one-time link that signs the operator in. Older unused ones stop working."""
    settings = _settings()
    from conclave.operator_link import run

    raise typer.Exit(run(settings))


@app.command()
def audit() -> None:
    """Check that nothing in the audit log was changed or taken out, and print its newest hash."""
    settings = _settings()
    from conclave.audit_check import run

    raise typer.Exit(run(settings))


@app.command()
def hashes() -> None:
    """Print the SHA-256 of every file that browsers get, to compare with what a server sends."""
    from conclave.hashes import run

    raise typer.Exit(run())


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"conclave {conclave.__version__}")


def _settings() -> Settings:
    """Settings, or exit code 2 with one line for each fault. Values are never shown: they may be
    secrets."""
    from conclave.settings import SettingsFault, load

    try:
        return load()
    except SettingsFault as fault:
        for line in fault.lines:
            print(f"conclave: {line}", file=sys.stderr)
        raise typer.Exit(2) from None


def main() -> None:
    app()
