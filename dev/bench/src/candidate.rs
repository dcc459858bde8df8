//! Who starts: this function and what it is held against.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A program that polls the Runtime API.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub name: String,
    /// For the report: what it is made of.
    pub what: String,
    pub command: Vec<OsString>,
    pub directory: PathBuf,
    pub job: Job,
    /// How its TLS is told whom to trust.
    pub trust: Trust,
    /// What a user uploads, as far as that is one file.
    pub artifact: Option<PathBuf>,
}

/// What is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// The request in, `DeprovisionIpamByoasn` over TLS, `Byoasn` out.
    Deprovision,
    /// An answer and nothing else.
    Nothing,
}

/// Which variable names the trusted roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// rustls-native-certs: the bundle with the stand-in's CA in it.
    SslCertFile,
    /// botocore: the same bundle.
    AwsCaBundle,
    /// Node.js has some 140 roots in its program, and is given the stand-in's CA beside them.
    NodeExtraCaCerts,
}

impl Candidate {
    /// A build of this function, or of one that is called in the same way.
    pub fn program(name: &str, what: &str, path: &Path) -> Self {
        Self {
            name: name.to_owned(),
            what: what.to_owned(),
            command: vec![path.into()],
            directory: "/".into(),
            job: Job::Deprovision,
            trust: Trust::SslCertFile,
            artifact: Some(path.to_owned()),
        }
    }

    pub fn floor(path: &Path) -> Self {
        let what =
            "lambda_runtime and a handler that does nothing, of the same build; without TLS, since it calls nothing";
        Self { job: Job::Nothing, ..Self::program("floor", what, path) }
    }

    /// `python` is the interpreter of an environment with `awslambdaric` and `boto3`; `app.py` is in `directory`.
    pub fn python(python: &Path, directory: &Path, what: &str) -> Self {
        Self {
            command: [python.as_os_str(), "-m".as_ref(), "awslambdaric".as_ref(), "app.handler".as_ref()]
                .map(Into::into)
                .to_vec(),
            directory: directory.to_owned(),
            trust: Trust::AwsCaBundle,
            artifact: Some(directory.join("app.py")),
            ..Self::program("python", what, python)
        }
    }

    /// `directory` has the bundle as `dist/index.js`, and `aws-lambda-ric` in its `node_modules`.
    pub fn node(node: &Path, directory: &Path, what: &str) -> Self {
        let client = directory.join("node_modules/aws-lambda-ric/bin/index.mjs");
        Self {
            command: [node.as_os_str(), client.as_os_str(), "index.handler".as_ref()].map(Into::into).to_vec(),
            directory: directory.join("dist"),
            trust: Trust::NodeExtraCaCerts,
            artifact: Some(directory.join("dist/index.js")),
            ..Self::program("node", what, node)
        }
    }
}
