"""The commands: one file each, which parses, calls one plain function and prints. Help imports nothing heavy."""
