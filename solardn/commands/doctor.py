"""``solardn doctor``."""

from __future__ import annotations

import click

from . import options


@click.command(short_help="Show versions and devices, and what is missing.", epilog=options.examples("solardn doctor"))
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects with the keys what, state, good.")
def doctor(as_json: bool) -> None:
    """Show versions, devices that truly compute, and what is missing; exit code 1 when something needed does not work."""
    import json

    from ..doctor import examine
    from ..errors import SolardnError

    found = examine()
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in found], indent=2, ensure_ascii=False))
    else:
        for finding in found:
            mark = {True: "+", False: "!", None: " "}[finding.good]
            click.echo(f"{mark} {finding.what:<12} {finding.state}")
    wrong = [finding.what for finding in found if finding.good is False]
    if wrong:
        raise SolardnError(f"something is wrong with {', '.join(wrong)}; what to do stands above")
