"""A trained run as a service: JSON in and out over HTTP, requests that come together in one call of the network."""
