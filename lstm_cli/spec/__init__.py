"""The config: its schema, its loading with positions, its overrides."""
