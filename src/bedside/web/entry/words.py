"""What access says to a person, marked for translation: the pages of the way in show it in the reader's language."""

from bedside.foundation.errors import N_

SAID = (
    N_("That did not match. Check what you typed."),
    N_("If you cannot get in, use the help below: nothing is lost."),
    N_("That did not match who you are."),
    N_("Show that it is you: by your password or a passkey."),
    N_("Show that it is you: by your PIN or a passkey."),
    N_("Say who you are."),
    N_("This passkey is the only way in that you have."),
    N_("Add another one first."),
    N_("There is no such record, or nothing gives you access to it."),
    N_("If you care for this patient, ask to be added to their care; in an emergency use emergency access."),
    N_("Write the name and the birth date, or the number."),
    N_("Write the birth date as 1951-03-02."),
    N_("Try again, or use your passkey."),
    N_("That was tried too often."),
    N_("Type your e-mail or telephone."),
    N_("A password has at least 10 characters."),
    N_("That password is too long."),
    N_("That password is easy to guess from who you are."),
    N_("Four words do well."),
    N_("The two passwords are not the same."),
    N_("A PIN has at least 6 digits, of at least three different ones."),
    N_("Say in a few words why you need this record now."),
)
