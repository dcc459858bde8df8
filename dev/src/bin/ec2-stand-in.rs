//! The EC2 stand-in as a program.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use stand_ins::ec2::{Network, Options, StandIn, World};

const HELP: &str = r#"A stand-in for EC2 that knows DeprovisionIpamByoasn, DescribeIpamByoasn,
DescribeByoipCidrs and DisassociateIpamByoasn. It runs until it is killed.

Usage: ec2-stand-in [--port N] [--tls DIR] [--world FILE] [--network STATE]

  --port N      listen on this port of 127.0.0.1 (default: 0, a free one)
  --tls DIR     serve HTTPS, and write the CA's certificate to DIR/ca.pem
  --world FILE  what there is in the Region, in JSON (default: one IPAM with one ASN)
  --network S   what connections meet: fine (the default), refuse, silent (neither made nor
                refused), reset, close, hang, drip, garbage; and with --tls: wrong-name,
                expired (certificates)

The first line on standard output is `EC2 stand-in on URL`. Each call is a line on
standard error. What follows can be done while it runs:

  GET    /_control/calls    the calls so far        DELETE  forget them
  GET    /_control/world    the Region as it is     PUT     another one, no faults, no calls
  POST   /_control/faults   what will go wrong

A world. Every member may be left out:

  {"region": "us-east-1",
   "ipams": ["ipam-0123456789abcdef0"],
   "asns": [{"asn": "64500", "ipam_id": "ipam-0123456789abcdef0", "state": "provisioned",
             "after": {"looks": 2}, "ends_in": "failed-deprovision", "end_message": "Why."}],
   "cidrs": [{"cidr": "203.0.113.0/24", "state": "advertised",
              "associations": [{"asn": "64500", "state": "associated",
                                "after": {"seconds": 1.5}, "ends_in": "disassociated"}]}],
   "denied_access_keys": ["AKIDDENIED"], "denied_actions": ["DescribeByoipCidrs"],
   "page_size": 100, "dry_run_status": 412, "request_id_header": true,
   "codes": {"asn_not_found": "InvalidByoasn.NotFound", "asn_in_wrong_state": "IncorrectState",
             "still_associated": "DependencyViolation",
             "association_not_found": "InvalidAsnAssociation.NotFound",
             "association_in_wrong_state": "IncorrectState"}}

Faults, each of them for one call:

  {"action": "DeprovisionIpamByoasn",
   "faults": [{"kind": "throttle"}, {"kind": "reset", "after_effect": true},
              {"kind": "error", "status": 500, "code": "InternalError", "message": "Why."}]}

  Kinds: throttle; error (status, code, message); no-code, empty-body, html, truncated-xml
  (status); slow (seconds, after_effect); hang, reset, close (after_effect); half-answer;
  breaks (at: start, head, half-body, end; by: close, reset, hang, {"drip": {"seconds": 60}},
  garbage; status, after_effect); last-answer (seconds; the
  connection ends);
  no-byoasn; state (state, status_message); dry-run-ignored (after_effect);
  raw (status, headers, body, after_effect). In `message` and `body`, {authorization} and
  {session_token} stand for what the request carried.
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

/// `None` when help is wanted.
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
