"""What records speaks of: stored versions, pages, governed resources, read providers. Pure."""
