"""Programs in the page: the JavaScript loader, pages of deployments, static sites."""
