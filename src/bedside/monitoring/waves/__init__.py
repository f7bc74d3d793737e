"""Waveforms: ECG, pleth, respiration, arterial pressure, as devices send them, kept, read back and exported."""
