"""The way in: sign-in, one-time links, the account, emergency access."""

from starlette.routing import BaseRoute, Route

from bedside.web.entry import account, again, emergency, link, outbox, quiet, shown, sign_in, told_by
from bedside.web.entry.proof import proof_of

ROUTES: list[BaseRoute] = [
    Route("/", sign_in.start),
    Route("/sign-in", sign_in.page),
    Route("/sign-in/password", sign_in.password, methods=["POST"]),
    Route("/sign-in/app-code", sign_in.app_code, methods=["POST"]),
    Route("/sign-in/send", sign_in.send, methods=["POST"]),
    Route("/sign-in/code", sign_in.code, methods=["POST"]),
    Route("/sign-in/help", sign_in.help_with_it),
    Route("/sign-in/help", sign_in.ask, methods=["POST"]),
    Route("/sign-in/printed", sign_in.printed, methods=["POST"]),
    Route("/sign-in/again", again.page),
    Route("/sign-in/again", again.use, methods=["POST"]),
    Route("/sign-in/call-me", again.call_page),
    Route("/sign-in/call-me", again.call_me, methods=["POST"]),
    Route("/account/anew", again.anew),
    Route("/account/anew", again.reach, methods=["POST"]),
    Route("/sign-in/demo", sign_in.demo, methods=["POST"]),
    Route("/sign-in/passkey/options", sign_in.passkey_options, methods=["POST"]),
    Route("/sign-in/passkey", sign_in.passkey, methods=["POST"]),
    Route("/enter/{token}", link.landing),
    Route("/enter/{token}", link.use, methods=["POST"]),
    Route("/enter/{token}/passkey/options", link.passkey_options, methods=["POST"]),
    Route("/enter/{token}/passkey", link.passkey, methods=["POST"]),
    Route("/sign-out", account.sign_out, methods=["POST"]),
    Route("/account", account.page, methods=["GET"]),
    Route("/account", shown.save, methods=["POST"]),
    Route("/account/quiet", quiet.save, methods=["POST"]),
    Route("/account/told-by", told_by.save, methods=["POST"]),
    Route("/account/reach", account.reach, methods=["POST"]),
    Route("/account/printed", account.codes, methods=["POST"]),
    Route("/account/sign-out-everywhere", account.sign_out_everywhere, methods=["POST"]),
    Route("/account/wall", account.wall, methods=["POST"]),
    Route("/account/pin", account.pin, methods=["POST"]),
    Route("/account/passkey/options", account.passkey_options, methods=["POST"]),
    Route("/account/passkey", account.passkey, methods=["POST"]),
    Route("/account/passkey/remove", account.remove_passkey, methods=["POST"]),
    Route("/confirm/options", account.confirm_options, methods=["POST"]),
    Route("/demo/outbox", outbox.page),
    Route("/emergency", emergency.find, methods=["GET", "POST"]),
    Route("/emergency/{patient}", emergency.page),
    Route("/emergency/{patient}", emergency.open_record, methods=["POST"]),
]

__all__ = ["ROUTES", "proof_of"]
