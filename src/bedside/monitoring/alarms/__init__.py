"""The life of an alarm, from the reading that raises it until somebody has answered for it.

Owns the alarms, their history, the judge's memory of each patient (which is also the fence: one judge a patient at a
time), timers, and monitoring hours. Refuses: to raise twice in one episode at one priority, to let an alarm end unseen,
to take "acknowledged" for "handled", to be closed without a name and a reason.
"""
