"""``python -m warehouse.queries``: ask the published warehouse, or refresh the README."""

import click

from sources.errors import PulseError
from warehouse.connection import reading
from warehouse.queries import README, fill_readme, load_queries, run_query
from warehouse.workspace import Workspace


@click.command()
@click.argument("number", required=False)
@click.option("--write", is_flag=True, help="Write the generated parts of the README.")
def main(number: str | None, write: bool) -> None:
    """Answer query NUMBER, or every one; the warehouse is the published one."""
    try:
        with reading(Workspace.from_environment().warehouse_file) as connection:
            if write:
                filled = fill_readme(connection, README.read_text(encoding="utf-8"))
                README.write_text(filled, encoding="utf-8")
                click.echo(f"written: {README}")
                return
            for query in load_queries():
                if number is None or query.name.startswith(f"{int(number):02d}_"):
                    click.echo(f"{query.name}: {query.question}\n")
                    click.echo(run_query(connection, query).markdown() + "\n")
    except PulseError as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.BadParameter("a number from 1 to 10", param_hint="NUMBER") from error


if __name__ == "__main__":
    main()
