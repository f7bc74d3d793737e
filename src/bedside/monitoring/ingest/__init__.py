"""The wire: what devices send over MQTT, decoded, handed on in batches, acknowledged after the commit."""
