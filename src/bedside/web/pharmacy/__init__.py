"""The pharmacist's pages: what was sent, and accept, dispense or refuse."""

from bedside.web.pharmacy.inbox import ROUTES

__all__ = ["ROUTES"]
