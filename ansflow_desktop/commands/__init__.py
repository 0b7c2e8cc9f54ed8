"""The command line's subcommands (cli.md): each one a thin face of the same services that the window uses."""
