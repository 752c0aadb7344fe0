"""What a worker process does for the tests of it."""

import os
import time


def answer(job: dict, body: bytes):
    return globals()[job.pop("kind")](body=body, **job)


def tell(body, **words):
    """What came, and by which process it was read."""
    print("what a library prints is no answer")
    return {"words": words, "body": body.decode(), "process": os.getpid()}


def loop(body):
    while True:
        pass


def rest(body, seconds):
    time.sleep(seconds)


def fill(body, mb):
    return len(b"x" * (mb * 1024 * 1024))


def tell_much(body, mb):
    return "x" * (mb * 1024 * 1024)


def stumble(body):
    raise ValueError("a fault of ours 一\ud800")


def crash(body):
    os.abort()


def environment(body):
    return dict(os.environ)


def write(body, path):
    with open(path, "wb") as file:
        file.write(b"x")
