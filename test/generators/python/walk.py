"""From signing up to signing out, as test/generators/walk.ts. Arguments: the address, an administrator and their password."""

import json
import sys

from client import Client, Refused
from latchkey import (
    Credentials,
    NewServiceAccount,
    OAuthErrorCode,
    PasswordChange,
    ProblemCode,
    RefreshRequest,
    SignUp,
    TokenRequest,
    Transport,
)

PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "a lantern in the rainy harbour"
EMAIL = "ada@example.com"

url, admin_email, admin_password = sys.argv[1:]
with open("openapi.json", encoding="utf-8") as file:
    client = Client(url, json.load(file))


def refused(*args, **options):
    try:
        client.call(*args, **options)
    except Refused as refusal:
        return refusal
    raise AssertionError(f"{args[0]} was not refused")


first = client.call("register", SignUp(email=EMAIL, password=PASSWORD, name="Ada Lovelace"))
claims = client.call("whoami", access=first.access_token)
assert (claims.sid, claims.roles) == (first.session_id, [])

key = {"Idempotency-Key": "attempt-1"}
presented = RefreshRequest(refresh_token=first.refresh_token)
refreshed = client.call("refresh", presented, headers=key)
assert refreshed.refresh_token != first.refresh_token
again = client.call("refresh", presented, headers=key)
assert again.session_id == first.session_id

[session] = client.call("listSessions", access=again.access_token).sessions
assert session.current and session.transport == Transport.BODY

wrong = refused("login", Credentials(email=EMAIL, password="wrong horse battery staple"))
assert (wrong.status, wrong.problem.code) == (401, ProblemCode.INVALID_CREDENTIALS)

changed = client.call("changePassword", PasswordChange(PASSWORD, NEW_PASSWORD), access=again.access_token)
assert refused("whoami", access=again.access_token).problem.code == ProblemCode.TOKEN_REVOKED
assert client.call("whoami", access=changed.access_token).sub == claims.sub
assert refused("listUsers", access=changed.access_token).problem.code == ProblemCode.FORBIDDEN

root = client.call("login", Credentials(email=admin_email, password=admin_password)).access_token
emails, query = [], {"limit": 1}
while True:
    page = client.call("listUsers", access=root, query=query)
    emails += [user.email for user in page.users]
    if page.next_cursor is None:
        break
    query["cursor"] = page.next_cursor
assert sorted(emails) == sorted([EMAIL, admin_email])

roles = ["reports:read", "reports:write"]
account = client.call(
    "createServiceAccount",
    NewServiceAccount(name="nightly report", roles=roles, password=admin_password),
    access=root,
)
grant = TokenRequest(grant_type="client_credentials", scope="reports:read")
token = client.call("issueToken", grant, basic=(account.client_id, account.client_secret))
machine = client.call("whoami", access=token.access_token)
assert (machine.sub, machine.roles) == (account.client_id, ["reports:read"])
bad = refused("issueToken", grant, basic=(account.client_id, "x"))
assert (bad.status, bad.problem.error) == (401, OAuthErrorCode.INVALID_CLIENT)

client.call("logout", access=changed.access_token)
assert refused("whoami", access=changed.access_token).problem.code == ProblemCode.TOKEN_REVOKED
print("walked")
