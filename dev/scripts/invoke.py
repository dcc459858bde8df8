"""`make invoke`: starts the EC2 stand-in and the function under `cargo lambda watch`, and invokes the function once.

It uses free ports of 127.0.0.1, prints the response, and stops every process that it started, also after an error. The
programs must be built; `make invoke` does that.
"""

import contextlib
import functools
import json
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
IPAM = "ipam-0123456789abcdef0"
# `cargo lambda watch` checks the fingerprints of all crates before it starts the function. That can take a minute.
START_TIMEOUT_SECONDS = 120

# The ASNs of the sample events. 64501 has an association, for a report with `DescribeOnly`.
WORLD = {
    "asns": [{"asn": asn, "ipam_id": IPAM} for asn in ("64500", "65546", "64501")],
    "cidrs": [{"cidr": "203.0.113.0/24", "state": "advertised", "associations": [{"asn": "64501"}]}],
}


@contextlib.contextmanager
def running(command, **options):
    """Runs a process in a new process group, and stops the whole group at the end.

    The group is stopped with SIGINT, like Ctrl-C. Background processes of a shell ignore SIGINT and their children inherit
    that, so the default handler is restored.
    """
    restore_sigint = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=restore_sigint, cwd=ROOT, **options)
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
    for _ in range(START_TIMEOUT_SECONDS * 10):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"{process.args[0]} does not listen on port {port}")


@contextlib.contextmanager
def function(log):
    """Runs the function and the EC2 stand-in. Yields the address arguments for `cargo lambda invoke`."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(WORLD, file)
        file.flush()
        stand_in = [ROOT / "target/debug/ec2-stand-in", "--world", file.name]
        with running(stand_in, stdout=subprocess.PIPE, stderr=log, text=True) as ec2:
            endpoint = ec2.stdout.readline().split()[-1]
            address = ["--invoke-address", "127.0.0.1", "--invoke-port", str(free_port())]
            environment = {
                # Without the caller's AWS variables, so that nothing reaches AWS.
                **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
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
    # Clean up after SIGTERM as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryFile("w+") as log, function(log) as address:
        invoke = ["cargo", "lambda", "invoke", *address, FUNCTION, "--data-file", event]
        code = subprocess.run(invoke, timeout=START_TIMEOUT_SECONDS).returncode
        if code:
            log.seek(0)
            sys.stderr.write(log.read())
        return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
