"""An ASGI application over a registry: `sclbl serve`."""
