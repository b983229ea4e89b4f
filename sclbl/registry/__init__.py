"""Where deployments live: one interface, a local and a remote registry behind it."""
