"""The series: every reading once, under its identity (device, metric, device time), for whoever held the device."""
