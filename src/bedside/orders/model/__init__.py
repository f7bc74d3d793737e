"""Results that wait to be seen; pure."""

from bedside.orders.model.result import CRITICAL, Arrived, Waiting, arrived, in_question, reported

__all__ = ["CRITICAL", "Arrived", "Waiting", "arrived", "in_question", "reported"]
