"""Train recurrent networks on sequences from a YAML file."""
