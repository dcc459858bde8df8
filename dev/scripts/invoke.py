"""`make invoke`: the function under `cargo lambda watch`, against the EC2 stand-in, invoked once.

Starts what it needs on free ports of 127.0.0.1, prints the answer, and stops what it started, whatever
happens. The programs must have been built; `make invoke` does it.
"""

import contextlib
import functools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = "deprovision-ipam-byoasn"
# cargo looks at 1.2 million lines of the EC2 crate before it runs what is built.
PATIENCE = 120


@contextlib.contextmanager
def running(command, **options):
    """A process in a group of its own, so that what it starts is stopped too.

    It is stopped as Ctrl-C does it, which what a shell starts in the background ignores, and its children too.
    """
    interruptible = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=interruptible, cwd=ROOT, **options)
    try:
        yield process
    finally:
        for signal_number in (signal.SIGINT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_listening(process, port):
    for _ in range(PATIENCE * 10):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"{process.args[0]} does not listen")


@contextlib.contextmanager
def function(log, asns=("64500", "65546")):
    """The function and EC2, both local: the arguments with which `cargo lambda invoke` reaches it."""
    world = ", ".join(f'{{"asn": "{asn}", "ipam_id": "ipam-0123456789abcdef0"}}' for asn in asns)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(f'{{"asns": [{world}]}}')
        file.flush()
        stand_in = [ROOT / "target/debug/ec2-stand-in", "--world", file.name]
        with running(stand_in, stdout=subprocess.PIPE, stderr=log, text=True) as ec2:
            endpoint = ec2.stdout.readline().split()[-1]
            address = ["--invoke-address", "127.0.0.1", "--invoke-port", str(free_port())]
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
                # Nothing of the caller's credentials, and nothing that leads to AWS.
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT_URL_EC2": endpoint,
                "NO_PROXY": "127.0.0.1",
            }
            watch = ["cargo", "lambda", "watch", "--ignore-changes", *address]
            with running(watch, stdout=log, stderr=log, env=environment) as process:
                wait_until_listening(process, int(address[-1]))
                yield address


def main(event):
    # A stop by another process shall clean up as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryFile("w+") as log, function(log) as address:
        invoke = ["cargo", "lambda", "invoke", *address, FUNCTION, "--data-file", event]
        code = subprocess.run(invoke, timeout=PATIENCE).returncode
        if code:
            log.seek(0)
            sys.stderr.write(log.read())
        return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
