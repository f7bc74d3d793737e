"""What the island of measuring says, in the reader's language: handed to it as JSON in data-words."""

from __future__ import annotations

from starlette.requests import Request

from bedside.web.kit import page_of, translator


def measure_words(request: Request) -> dict[str, str]:
    """For <measure-device>: where it stands, what went wrong and what to do, what the device said beside the number."""
    _ = translator(page_of(request).language)
    return {
        "choosing": _("Choose your device in the list that the browser shows."),
        "connecting": _("Connecting to {device}. This can take half a minute."),
        "listening": _("Connected to {device}. Measure now; the number appears here."),
        "asking": _("Connected to {device}. Asking it for its results."),
        "sending": _("Sending"),
        "waiting": _("No internet: kept on this phone or computer, not sent yet. It is sent by itself later."),
        "thrown": _("Thrown away. Nothing was sent."),
        "none_chosen": _("No device was chosen. Is it switched on and close by? Then press the button again."),
        "bluetooth_off": _(
            "Bluetooth is off, or not there. Switch it on in the settings, then press the button again."
        ),
        "blocked": _("Bluetooth is not allowed for this page. Tap the lock beside the address to allow it."),
        "out_of_reach": _(
            "The device did not answer. Hold it closer, switch it on again, then press the button again."
        ),
        "pairing": _(
            "The device did not let us in. Allow pairing when you are asked; some devices want a code that "
            "they show. Then press the button again."
        ),
        "not_this": _("This device does not send that kind of reading. Choose another one, or type the number."),
        "gone": _("The connection broke before a number came. Measure again, then press the button again."),
        "nothing": _("No number came. Measure again, then press the button again; or type the number."),
        "no_records": _("The meter holds no results. Measure first, then press the button again."),
        "not_kept": _("This browser could not keep the reading, so it was not sent. Type it, please."),
        "refused": _("The clinic could not take this reading. Measure again, or type it."),
        "not_yours": _("The page now acts for somebody else. The reading is kept for the person who was measured."),
        "switched_off": _("The clinic does not take readings from this device. Type the reading, or ring the clinic."),
        "sign_in": _("You were signed out. The reading is kept here. Sign in again, then it is sent."),
        "conflict": _(
            "The device sent another number for the same moment before. Both are kept and the clinic sees "
            "them. Is its clock right?"
        ),
        "unusual": _("That is unusual. Is it right? Look at the device again."),
        "send_all_the_same": _("Yes, it is right: send it"),
        "short": _("What the device sent was cut off. Measure again."),
        "no_value": _("The device could not measure. Put it on again, keep still, and measure again."),
        "too_high": _(
            "Too high for the meter to show. Measure again at once. If it says so again or you feel ill, "
            "ring the clinic now; if you feel very ill, the emergency number."
        ),
        "too_low": _(
            "Too low for the meter to show. Measure again at once. If it says so again or you feel ill, "
            "ring the clinic now; if you feel very ill, the emergency number."
        ),
        "no_contact": _("The device does not feel your skin. Put it on again; a belt may need a little water."),
        "early": _("Still measuring: keep still."),
        "demo": _("The device shows a demonstration, not you. Nothing is sent. Its manual says how to end that."),
        "calibrating": _("The device is getting ready. Wait a moment and keep still."),
        "invalid": _("The device itself doubts this number. Put it on again, keep still, and measure again."),
        "control": _("That was the control solution, not your blood. It is not sent."),
        "fault": _("The meter says that strip or drop was not right. Measure again with a new strip."),
        "moved": _("The cuff felt movement. Keep still and measure again if you can."),
        "cuff_loose": _("The cuff was too loose. Put it on tighter and measure again if you can."),
        "irregular": _("The cuff felt an irregular pulse."),
        "pulse_high": _("The cuff says the pulse was above its range."),
        "pulse_low": _("The cuff says the pulse was below its range."),
        "bad_position": _("The cuff was not at the height of your heart. Measure again if you can."),
        "battery": _("The battery of the meter is low."),
        "charge": _("The battery of the device is at {n} %: charge it or change it soon."),
        "weak_signal": _("The signal was weak: warm your hand and keep still."),
        "stored": _("This comes from the memory of the device."),
        "user": _("The device says: user {n}."),
        "at": _("measured {when} by the clock of the device, read as the time where you are"),
        "no_clock": _("measured now; the device did not say when"),
        "ahead": _("The clock of the device says {when}. That is later than now, so it is wrong."),
        "behind": _(
            "By its clock, read as the time where you are, the device measured this {when}. "
            "It may be an older reading, or its clock is wrong."
        ),
        "live": _("changing"),
        "m_blood-pressure": _("Blood pressure"),
        "m_heart-rate": _("Pulse"),
        "m_mean-pressure": _("Mean pressure"),
        "m_spo2": _("Oxygen saturation"),
        "m_temperature": _("Temperature"),
        "m_weight": _("Weight"),
        "m_glucose": _("Glucose"),
    }
