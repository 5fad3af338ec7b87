"""`chatwright profile`: which servers this user talks to."""

from typing import Annotated

import typer

from chatwright.client.profiles import (
    Profile,
    choose_profile,
    config_path,
    read_profiles,
    remove_profile,
    save_profile,
    use_profile,
)

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="add, list, use, remove: which servers you talk to."
)
Name = Annotated[str, typer.Argument(help="Name of the profile.", metavar="NAME")]


@commands.command()
def add(
    name: Name,
    url: Annotated[str, typer.Option(help="Address of the server, e.g. https://chat.example.com.")],
    token: Annotated[str, typer.Option(help="Access token of that server.", prompt=True, hide_input=True)],
    use: Annotated[bool, typer.Option("--use", help="Make it the default.")] = False,  # noqa: FBT002 - typer's way.
) -> None:
    """Add a server, or replace its entry. The file is for your eyes only (mode 600)."""
    from urllib.parse import urlsplit

    from chatwright.surfaces.cli.servers import profile_errors_shown

    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.netloc:
        raise typer.BadParameter("An address looks like https://chat.example.com.", param_hint="--url")
    with profile_errors_shown():
        save_profile(Profile(name, url.rstrip("/"), token), default=use)
    print(f"Profile '{name}' is in {config_path()}.")


@commands.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,  # noqa: FBT002 - typer's way.
) -> None:
    """List the servers, without their tokens."""
    from chatwright.surfaces.cli.output import print_json, print_result
    from chatwright.surfaces.cli.servers import profile_errors_shown

    with profile_errors_shown():
        known = read_profiles()
    items = [
        {"name": profile.name, "url": profile.url, "default": profile.name == known.default}
        for profile in known.by_name.values()
    ]
    (print_json if as_json else print_result)({"items": items, "next_cursor": None})


@commands.command()
def use(name: Name) -> None:
    """Make a profile the default."""
    from chatwright.surfaces.cli.servers import profile_errors_shown

    with profile_errors_shown():
        use_profile(name)
        print(f"Commands now go to {choose_profile(name).url}.")


@commands.command()
def remove(name: Name) -> None:
    """Forget a profile. Its token goes on working until it is revoked."""
    from chatwright.surfaces.cli.servers import profile_errors_shown

    with profile_errors_shown():
        remove_profile(name)
    print(f"Profile '{name}' is gone.")
