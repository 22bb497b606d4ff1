import sys

import revoked

for line in sys.stdin:
    word, *tokens = line.split()
    try:
        if word == "listen":
            revoked.listen()
            print("heard", flush=True)
        else:
            print("sub", revoked.verify(*tokens)["sub"], flush=True)
    except Exception as error:
        print("refused", error or type(error).__name__, flush=True)
