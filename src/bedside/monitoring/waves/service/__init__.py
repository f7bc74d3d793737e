"""What is done with waveforms."""
