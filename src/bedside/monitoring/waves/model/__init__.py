"""What a waveform is, on the wire, at rest and in the formats it leaves in."""
