//! The quick reading of trust roots, beside the usual one.

use std::{fs, path::Path};

use deprovision_ipam_byoasn::roots;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use rustls::RootCertStore;

fn authority(name: &str) -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.self_signed(&KeyPair::generate().expect("key")).expect("certificate").pem()
}

/// Asserts that a bundle gives the roots that the usual reader finds in it, and how many they are.
#[track_caller]
fn assert_roots(test: &str, bundle: &str, count: usize) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.pem"));
    fs::write(&path, bundle).expect("written");
    let quick = roots::load(|name| (name == "SSL_CERT_FILE").then(|| path.to_string_lossy().into_owned()));
    let mut usual = RootCertStore::empty();
    usual.add_parsable_certificates(rustls_native_certs::load_certs_from_paths(Some(&path), None).certs);
    let names = |store: RootCertStore| {
        let mut names: Vec<_> = store.roots.iter().map(|root| format!("{root:?}")).collect();
        names.sort();
        names
    };
    assert_eq!(quick.len(), count);
    assert_eq!(names(quick), names(usual));
}

#[test]
fn every_root_of_a_bundle_is_read() {
    let bundle: String = (0..150).map(|n| authority(&format!("Authority {n}"))).collect();
    assert_roots("plain", &bundle, 150);
}

#[test]
fn comments_and_line_ends_do_not_matter() {
    let (a, b) = (authority("A"), authority("B"));
    let commented = format!("# A, with – and -----\n{a}\n\n  \nB\n=\n{}", b.trim_end());
    assert_roots("commented", &commented, 2);
    assert_roots("crlf", &commented.replace('\n', "\r\n"), 2);
}

#[test]
fn other_things_in_a_bundle_are_no_roots() {
    let key = KeyPair::generate().expect("key").serialize_pem();
    let trusted = authority("T").replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    assert_roots("others", &format!("{key}{trusted}{}", authority("A")), 1);
}

#[test]
fn one_certificate_that_cannot_be_decoded_does_not_cost_the_others() {
    let broken = authority("B").replacen("MII", "M*I", 1);
    assert_roots("undecodable", &format!("{}{broken}{}", authority("A"), authority("C")), 2);
}

#[test]
fn one_certificate_that_cannot_be_understood_does_not_cost_the_others() {
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_roots("nonsense", &format!("{}{nonsense}{}", authority("A"), authority("C")), 2);
}

#[test]
fn a_bundle_that_was_cut_off_keeps_what_is_whole() {
    let cut = authority("B");
    assert_roots("cut", &format!("{}{}", authority("A"), &cut[..cut.len() / 2]), 1);
}

#[test]
fn a_certificate_without_lines_of_its_own_is_the_usual_readers_to_judge() {
    let (a, b) = (authority("A"), authority("B"));
    assert_roots("indented", &format!("{a}  {b}"), 1);
    assert_roots("alone", &format!("  {b}"), 0);
    assert_roots("after-text", &format!("{a}B: {b}"), 1);
    assert_roots("tab-after", &format!("{a}{}", b.replacen("E-----", "E-----\t", 1)), 1);
    assert_roots("blank-after", &format!("{a}{}", b.replacen("E-----", "E----- ", 1)), 2);
    assert_roots("end-in-a-line", &format!("{a}{}{a}", b.replace("\n-----END", "-----END")), 1);
    assert_roots("after-a-beginning", &format!("-----BEGIN X-----\nAAA=\n{a}"), 0);
    assert_roots("blanks-in-the-line", &format!("{a}{}", b.replacen("E-----", "E--- --", 1)), 2);
    assert_roots("carriage-returns", &format!("{a}{b}").replace('\n', "\r"), 2);
}
