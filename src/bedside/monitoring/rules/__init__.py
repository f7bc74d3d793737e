"""What a reading means: limits, gains, silence and NEWS2, as dated tables with their sources.

Owns the tables in tables/*.toml, the patients' profiles (birth date, pregnancy, SpO2 scale) and their own limits.
Refuses: to judge by adult defaults anybody under 16, pregnant, or of unknown age; to score with an input missing
or stale; to infer the hypercapnic SpO2 scale from anything but a clinician's setting.
"""
