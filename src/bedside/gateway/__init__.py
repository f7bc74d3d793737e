"""`bedside gateway`: between devices and a Bedside that may be out of reach, in a home or a ward.

Takes what a device would send at Bedside's own HTTPS door, keeps it on disk before it answers, and passes it on in
order once Bedside is there. Speaks only the public protocol; owns no record, judges nothing.
"""

from bedside.gateway.running import Wish, run

__all__ = ["Wish", "run"]
