import json
import sys

import jwt

asked = json.load(sys.stdin)
keys = jwt.PyJWKClient(asked["keys"])


def verify(token):
    key = keys.get_signing_key_from_jwt(token).key
    return jwt.decode(
        token, key, algorithms=[asked["alg"]], issuer=asked["issuer"], audience=asked["audience"]
    )["sub"]


for token in asked["tokens"]:
    try:
        print("sub", verify(token))
    except Exception as error:
        print("refused", type(error).__name__)
