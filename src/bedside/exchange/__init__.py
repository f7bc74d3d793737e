"""Other systems: HL7 v2 over MLLP (ORU^R01 of monitors, of their gateways, of laboratories that measure vital signs).

Owns: interfaces, which messages were taken, and what stands for what was corrected. Lands readings through monitoring.
Refuses: a sender that is not known, a patient by name, an acknowledgement before the commit, a message twice.
"""

from bedside.exchange.model.interface import Interface, NewInterface
from bedside.exchange.service.interfaces import add_interface, end_interface, interfaces

__all__ = ["Interface", "NewInterface", "add_interface", "end_interface", "interfaces"]
