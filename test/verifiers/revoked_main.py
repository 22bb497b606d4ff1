import sys
import threading
import time

import revoked


def follow():
    while True:
        try:
            revoked.listen()
        except Exception:
            time.sleep(1)


for line in sys.stdin:
    word, *tokens = line.split()
    try:
        if word == "listen":
            revoked.listen()
            print("heard", flush=True)
        elif word == "follow":
            threading.Thread(target=follow, daemon=True).start()
            print("follows", flush=True)
        else:
            print("sub", revoked.verify(*tokens)["sub"], flush=True)
    except Exception as error:
        print("refused", error or type(error).__name__, flush=True)
