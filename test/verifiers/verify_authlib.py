import json
import sys
from urllib.request import urlopen

from authlib.jose import JsonWebKey, JsonWebToken

asked = json.load(sys.stdin)
keys = JsonWebKey.import_key_set(json.load(urlopen(asked["keys"])))
reader = JsonWebToken([asked["alg"]])
wanted = {
    "iss": {"essential": True, "value": asked["issuer"]},
    "aud": {"essential": True, "value": asked["audience"]},
    "exp": {"essential": True},
}

for token in asked["tokens"]:
    try:
        claims = reader.decode(token, keys, claims_options=wanted)
        claims.validate()
        print("sub", claims["sub"])
    except Exception as error:
        print("refused", type(error).__name__)
