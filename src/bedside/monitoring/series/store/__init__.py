"""SQL of readings: packs, the chunks they are put into, what stands newest, what is said of single ones."""
