"""Pure clinical rules: values in, findings out."""
