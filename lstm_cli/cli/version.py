"""``--version`` of every command: one line, from the records of the installation, without importing what it names."""

import platform

import click

NAMED = {"pytensor": "PyTensor", "numba": "numba", "numpy": "NumPy"}


def version_option() -> click.Option:
    """Return the option."""
    return click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_print, help="Print the version."
    )


def version_line() -> str:
    """Return the version of the package, of Python and of the libraries that compute."""
    from importlib import metadata  # slow, and needed for nothing else

    found = [f"Python {platform.python_version()}"]
    for name, title in NAMED.items():
        try:
            found.append(f"{title} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"no {title}")
    try:
        own = metadata.version("lstm-cli")
    except metadata.PackageNotFoundError:
        own = "(not installed)"
    return f"lstm-cli {own} ({', '.join(found)})"


def _print(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given and not context.resilient_parsing:
        click.echo(version_line())
        context.exit()
