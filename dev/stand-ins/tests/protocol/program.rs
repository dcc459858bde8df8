use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::client::{CREDENTIAL, Client, authorization, deprovision_params};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ec2-stand-in"))
}

#[test]
fn program_prints_its_url_and_logs_every_call() {
    let mut child = program().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint = line.trim_end().strip_prefix("EC2 stand-in on ").unwrap();
    let body = "Version=2016-11-15&".to_owned() + &deprovision_params();
    for _ in 0..2 {
        Client::new(endpoint).request("POST", "/", &authorization(CREDENTIAL), &body);
    }
    let log: Vec<String> = BufReader::new(child.stderr.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        log,
        [
            "DeprovisionIpamByoasn Asn=64500 IpamId=ipam-0123456789abcdef0 -> 200",
            "DeprovisionIpamByoasn Asn=64500 IpamId=ipam-0123456789abcdef0 -> 400 IncorrectState",
        ]
    );
}

#[test]
fn help_documents_world_and_faults() {
    let output = program().arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for part in ["--port N", "--tls DIR", "--world FILE", "--network MODE", "\"asns\"", "\"faults\""] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn invalid_options_end_the_program_with_a_message() {
    for (arguments, message) in [
        (["--prot", "1"], "invalid option '--prot'"),
        (["--port", "x"], "cannot parse argument \"x\""),
        (["--world", "no-such.json"], "no-such.json: No such file"),
        (["--network", "fog"], "unknown variant `fog`"),
        (["--tls", "no-such-folder"], "cannot write no-such-folder/ca.pem"),
    ] {
        let output = program().args(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(error.contains(message), "{error}");
    }
}
