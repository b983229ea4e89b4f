"""Programs in pages: the JavaScript loader, pages, sites."""
