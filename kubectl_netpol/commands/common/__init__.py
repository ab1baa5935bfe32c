"""What commands are made of: options, inputs, questions, the probe of a cluster.

May import everything but `commands` and `cli`. No subcommand lives here.
"""
