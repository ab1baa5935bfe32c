"""One subcommand a module: `add_arguments(parser)` and `run(arguments, console) -> exit status`."""
