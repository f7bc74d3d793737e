"""What every room stands on: database, bus, jobs, clock, ids, context, errors, http, telemetry. No clinical noun."""
