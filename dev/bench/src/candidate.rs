//! The programs that are measured.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that polls the Runtime API.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub name: String,
    pub description: String,
    pub command: Vec<OsString>,
    pub folder: PathBuf,
    pub workload: Workload,
    /// The environment variable that names additional or other trusted certificates.
    pub trust_variable: &'static str,
}

/// What the program does with an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Calls `DeprovisionIpamByoasn` over TLS and returns the `Byoasn`.
    Deprovision,
    /// Returns `null` without calling EC2.
    Nothing,
}

impl Candidate {
    /// Parses `NAME=PATH`.
    pub fn parse(argument: &str) -> Result<Self, Box<dyn Error>> {
        let (name, path) = argument.split_once('=').ok_or_else(|| format!("expected NAME=PATH, not {argument}"))?;
        // Candidates run in other folders. Links are kept: Python finds its virtual environment by the link's path.
        let path = std::path::absolute(path)?;
        if !path.exists() {
            return Err(format!("{} does not exist", path.display()).into());
        }
        match name {
            "floor" => {
                let description =
                    "lambda_runtime and a handler that does nothing; without TLS, because it calls nothing";
                Ok(Self { workload: Workload::Nothing, ..Self::program(name, description, &path) })
            }
            "python" => Self::python(&path),
            "node" => Self::node(&path),
            _ => Ok(Self::program(name, "this function", &path)),
        }
    }

    /// A build of the function.
    pub fn program(name: &str, description: &str, path: &Path) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            command: vec![path.into()],
            folder: "/".into(),
            workload: Workload::Deprovision,
            trust_variable: "SSL_CERT_FILE",
        }
    }

    fn python(interpreter: &Path) -> Result<Self, Box<dyn Error>> {
        let versions = "import platform, importlib.metadata as m; \
                        print(f'Python {platform.python_version()}, boto3 {m.version(\"boto3\")}, \
                        awslambdaric {m.version(\"awslambdaric\")}')";
        Ok(Self {
            name: "python".to_owned(),
            description: output(Command::new(interpreter).args(["-c", versions]))?,
            command: [interpreter.as_os_str(), "-m".as_ref(), "awslambdaric".as_ref(), "app.handler".as_ref()]
                .map(Into::into)
                .to_vec(),
            folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("python"),
            workload: Workload::Deprovision,
            trust_variable: "AWS_CA_BUNDLE",
        })
    }

    fn node(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let client = folder.join("node_modules/aws-lambda-ric/bin/index.mjs");
        let versions = "const version = name => require(`./node_modules/${name}/package.json`).version; \
                        console.log(`Node.js ${process.versions.node}, bundled AWS SDK ${version('@aws-sdk/client-ec2')}, \
                        aws-lambda-ric ${version('aws-lambda-ric')}`)";
        Ok(Self {
            name: "node".to_owned(),
            description: output(Command::new("node").args(["-e", versions]).current_dir(folder))?,
            command: vec![
                output(Command::new("sh").args(["-c", "command -v node"]))?.into(),
                client.into(),
                "index.handler".into(),
            ],
            folder: folder.join("dist"),
            workload: Workload::Deprovision,
            trust_variable: "NODE_EXTRA_CA_CERTS",
        })
    }
}

fn output(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_another_build_of_the_function() {
        let candidate = Candidate::parse("before=/bin/sh").unwrap();
        assert_eq!((candidate.name.as_str(), candidate.workload), ("before", Workload::Deprovision));
        assert_eq!(candidate.command, ["/bin/sh"]);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Candidate::parse("function=/no/such/file").unwrap_err().to_string();
        assert_eq!(error, "/no/such/file does not exist");
    }
}
