"""SQL of schema visits."""
