"""How messages of the wire land: whose they are to land, in which lanes, and what is answered."""
