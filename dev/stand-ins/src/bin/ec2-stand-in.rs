//! The EC2 stand-in as a program.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use stand_ins::ec2::{Network, Options, StandIn, World};

const HELP: &str = r#"A stand-in for EC2 that supports DeprovisionIpamByoasn, DescribeIpamByoasn,
DescribeByoipCidrs and DisassociateIpamByoasn. It runs until it is stopped.

Usage: ec2-stand-in [--port N] [--tls DIR] [--world FILE] [--network MODE]

  --port N        the port on 127.0.0.1 (default: 0, a free port)
  --tls DIR       serve HTTPS, and write the CA's certificate to DIR/ca.pem
  --world FILE    the state of the Region in JSON (default: one IPAM with one ASN)
  --network MODE  what happens to new connections: normal (default), refuse, silent (SYN packets
                  are dropped), reset, close, hang, drip, garbage; with --tls also
                  wrong-certificate-name and expired-certificate

The first line on standard output is `EC2 stand-in on URL`. Each call is logged to standard
error, one line a call. Control API:

  GET    /_control/calls    list the calls so far
  DELETE /_control/calls    forget them
  GET    /_control/world    show the state of the Region
  PUT    /_control/world    replace it, and remove all faults and calls
  POST   /_control/faults   queue faults

The state of a Region. Every member is optional:

  {"region": "us-east-1",
   "ipams": ["ipam-0123456789abcdef0"],
   "asns": [{"asn": "64500", "ipam_id": "ipam-0123456789abcdef0", "state": "provisioned",
             "status_message": "Text.", "after": {"describes": 2},
             "ends_in": "failed-deprovision", "end_message": "Text."}],
   "cidrs": [{"cidr": "203.0.113.0/24", "state": "advertised",
              "associations": [{"asn": "64500", "state": "associated", "status_message": "Text.",
                                "after": {"seconds": 1.5}, "ends_in": "disassociated"}]}],
   "denied_access_keys": ["AKIDDENIED"], "denied_actions": ["DescribeByoipCidrs"],
   "page_size": 100, "dry_run_status": 412, "request_id_header": true,
   "codes": {"asn_not_found": "InvalidByoasn.NotFound", "asn_in_wrong_state": "IncorrectState",
             "still_associated": "DependencyViolation",
             "association_not_found": "InvalidAsnAssociation.NotFound",
             "association_in_wrong_state": "IncorrectState"}}

`after` says how long an entry stays pending: for a number of describe responses that show it, or
for a number of seconds. `ends_in` is the state after that.

Faults. Each affects one call:

  {"action": "DeprovisionIpamByoasn",
   "faults": [{"kind": "throttle"}, {"kind": "reset", "after_effect": true},
              {"kind": "error", "status": 500, "code": "InternalError", "message": "Text."}]}

  Kinds and their members: throttle; error (status, code, message); no-code, empty-body, html,
  truncated-xml (status); slow (seconds, after_effect); hang, reset, close (after_effect);
  half-response; interrupted (at: start, head, half-body, end; by: close, reset, hang,
  {"drip": {"seconds": 60}}, garbage; status, after_effect); close-after-response (seconds);
  no-byoasn; state (state, status_message); dry-run-ignored (after_effect);
  raw (status, headers, body, after_effect). With after_effect, the call is executed before the
  fault occurs. In `message` and `body`, {authorization} and {session_token} are replaced by the
  values in the request.
"#;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ec2-stand-in: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = options()? else {
        print!("{HELP}");
        return Ok(());
    };
    let stand_in = StandIn::start_with(options)?;
    let mut out = std::io::stdout();
    writeln!(out, "EC2 stand-in on {}", stand_in.endpoint())?;
    out.flush()?;
    loop {
        std::thread::park();
    }
}

/// Parses the command line. Returns `None` for `--help`.
fn options() -> Result<Option<Options>, Box<dyn Error>> {
    use lexopt::prelude::*;

    let mut options = Options { log: true, ..Options::default() };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("port") => options.port = parser.value()?.parse()?,
            Long("tls") => options.ca_bundle = Some(PathBuf::from(parser.value()?).join("ca.pem")),
            Long("world") => options.world = read_world(&parser.value()?.into())?,
            Long("network") => options.network = network(&parser.value()?.string()?)?,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn network(name: &str) -> Result<Network, Box<dyn Error>> {
    serde_json::from_value(name.into()).map_err(|error| format!("--network: {error}").into())
}

fn read_world(path: &PathBuf) -> Result<World, Box<dyn Error>> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?)
}
