"""One subcommand per file: its options, what it reads, what it asks, what it prints, its exit status.

May import everything but `cli`. `argparse.Namespace` ends here: what is called gets values, never the options.
"""
