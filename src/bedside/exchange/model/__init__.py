"""Pure: what bytes of HL7 v2 say, and what is answered."""
