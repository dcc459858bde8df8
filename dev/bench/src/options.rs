//! The command line.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use lexopt::prelude::*;

use crate::candidate::Candidate;
use crate::suite::Plan;

pub const HELP: &str = "\
Measures cold starts side by side. `make bench` builds everything and calls it.

    bench --roots PEM --own PROGRAM [OPTIONS]

    --own PROGRAM            this function; every ratio is to it
    --floor PROGRAM          lambda_runtime and a handler that does nothing
    --python PYTHON          an interpreter with awslambdaric and boto3
    --node DIRECTORY         with dist/index.js, and aws-lambda-ric in node_modules
    --naive PROGRAM          the function's one call with every default
    --other NAME=PROGRAM     another build of this function; as often as wanted
    --roots PEM              the certificates to trust beside the stand-in's own
    --zips DIRECTORY         where NAME.zip is what users upload, for its size
    --rounds N               cold starts of each (100)
    --warm-rounds N          after how many of them warm invocations follow (10)
    --warm N                 how many warm invocations (200)
    --memory-rounds N        cold starts of each at each memory size (20)
    --count                  count instructions under valgrind instead of measuring time
    --limits FILE            with --count: fail where this function's zip or instructions exceed these limits
    --out DIRECTORY          write benchmark.json and benchmark.svg there
";

pub struct Options {
    pub candidates: Vec<Candidate>,
    pub roots: PathBuf,
    pub zips: Option<PathBuf>,
    pub plan: Plan,
    pub count: bool,
    pub limits: Option<PathBuf>,
    pub out: Option<PathBuf>,
}

impl Options {
    /// `None` when only help is wanted.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, Box<dyn Error>> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut own = None;
        let mut others = Vec::new();
        let mut roots = None;
        let mut zips = None;
        let mut plan = Plan { rounds: 100, warm_rounds: 10, warm: 200, memory_rounds: 20 };
        let mut count = false;
        let mut limits = None;
        let mut out = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long("own") => own = Some(Candidate::program("own", "this function", &path(&mut parser)?)),
                Long("floor") => others.push(Candidate::floor(&path(&mut parser)?)),
                Long("python") => others.push(python(&path(&mut parser)?)?),
                Long("node") => others.push(node(&path(&mut parser)?)?),
                Long("naive") => {
                    let what = "the same call in Rust with every default: no feature trimmed, no profile";
                    others.push(Candidate::program("naive", what, &path(&mut parser)?));
                }
                Long("other") => {
                    let value = parser.value()?.string()?;
                    let (name, path) = value.split_once('=').ok_or("--other wants NAME=PROGRAM")?;
                    others.push(Candidate::program(name, "another build of this function", &absolute(path.as_ref())?));
                }
                Long("roots") => roots = Some(path(&mut parser)?),
                Long("zips") => zips = Some(path(&mut parser)?),
                Long("rounds") => plan.rounds = parser.value()?.parse()?,
                Long("warm-rounds") => plan.warm_rounds = parser.value()?.parse()?,
                Long("warm") => plan.warm = parser.value()?.parse()?,
                Long("memory-rounds") => plan.memory_rounds = parser.value()?.parse()?,
                Long("count") => count = true,
                Long("limits") => limits = Some(path(&mut parser)?),
                Long("out") => out = Some(PathBuf::from(parser.value()?)),
                other => return Err(other.unexpected().into()),
            }
        }
        let own = own.ok_or("--own is missing; see --help")?;
        let candidates = std::iter::once(own).chain(others).collect();
        let roots = roots.ok_or("--roots is missing; see --help")?;
        Ok(Some(Self { candidates, roots, zips, plan, count, limits, out }))
    }
}

impl Options {
    /// The size of what a user of this candidate uploads.
    pub fn zip_bytes(&self, name: &str) -> Option<u64> {
        Some(self.zips.as_ref()?.join(name).with_extension("zip").metadata().ok()?.len())
    }
}

fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, Box<dyn Error>> {
    absolute(parser.value()?.as_ref())
}

/// Candidates start in folders of their own. The last part is kept as it is: a virtual environment is told by the
/// name of its interpreter, which is a link.
fn absolute(path: &Path) -> Result<PathBuf, Box<dyn Error>> {
    if !path.exists() {
        return Err(format!("{} does not exist", path.display()).into());
    }
    Ok(std::path::absolute(path)?)
}

fn python(python: &Path) -> Result<Candidate, Box<dyn Error>> {
    let versions = "import platform, importlib.metadata as m; \
                    print(f'Python {platform.python_version()}, boto3 {m.version(\"boto3\")}, \
                    awslambdaric {m.version(\"awslambdaric\")}')";
    let what = first_line(Command::new(python).args(["-c", versions]))?;
    Ok(Candidate::python(python, &Path::new(env!("CARGO_MANIFEST_DIR")).join("python"), &what))
}

fn node(directory: &Path) -> Result<Candidate, Box<dyn Error>> {
    let version = |package: &str| -> Result<String, Box<dyn Error>> {
        let manifest = std::fs::read(directory.join("node_modules").join(package).join("package.json"))?;
        let manifest: serde_json::Value = serde_json::from_slice(&manifest)?;
        Ok(manifest["version"].as_str().unwrap_or("of an unknown version").to_owned())
    };
    let program = PathBuf::from(first_line(Command::new("sh").args(["-c", "command -v node"]))?);
    let what = format!(
        "Node.js {}, @aws-sdk/client-ec2 {} in a minified bundle, aws-lambda-ric {}",
        first_line(Command::new(&program).arg("--version"))?,
        version("@aws-sdk/client-ec2")?,
        version("aws-lambda-ric")?,
    );
    Ok(Candidate::node(&program, directory, &what))
}

fn first_line(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Options>, String> {
        Options::parse(arguments.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn this_function_comes_first_whatever_the_order() {
        let options =
            parse(&["--floor", "/bin/sh", "--other", "old=/bin/sh", "--own", "/bin/sh", "--roots", "/bin/sh"]);
        let names: Vec<String> = options.unwrap().unwrap().candidates.into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["own", "floor", "old"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(parse(&["--roots", "/bin/sh"]).err().unwrap(), "--own is missing; see --help");
        assert_eq!(parse(&["--own", "/bin/sh"]).err().unwrap(), "--roots is missing; see --help");
        assert_eq!(parse(&["--own", "/no/such/file"]).err().unwrap(), "/no/such/file does not exist");
    }

    #[test]
    fn help_names_every_option() {
        let named: Vec<&str> = HELP.split("--").skip(1).filter_map(|it| it.split(' ').next()).collect();
        for option in ["own", "floor", "python", "node", "naive", "other", "roots", "zips", "rounds", "warm", "out"] {
            assert!(named.contains(&option), "{option}");
        }
    }
}
