"""The seeded clinic and its simulated devices: they speak only the doors that anyone may use.

Owns: invented people, their histories, the story that the first two minutes tell. Refuses: any home that is not a demo.
"""
