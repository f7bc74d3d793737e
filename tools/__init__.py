"""Programs for those who build Bedside; nothing here ships."""
