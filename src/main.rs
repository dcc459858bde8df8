//! Start-up: settings, log, client, run.

use std::{env, io, net::ToSocketAddrs, process::ExitCode, time::Duration};

use deprovision_ipam_byoasn::{deadline, ec2::Ec2, handler, log, roots, runtime, secrets::Secrets, settings::Settings};
use tokio::{runtime::Builder, task};

/// Longer than a sandbox lives.
const FOR_EVER: Duration = Duration::from_hours(24);

fn main() -> io::Result<ExitCode> {
    Ok(Builder::new_current_thread().enable_all().thread_keep_alive(FOR_EVER).build()?.block_on(start()))
}

async fn start() -> ExitCode {
    // Names are looked up on a thread of their own. It starts and reads the system's settings now, beside everything
    // else and with a whole processor, and not in the first invocation, which has a share of one.
    drop(task::spawn_blocking(|| ("localhost", 0).to_socket_addrs().map(drop)));
    // Lossy: a value that is not UTF-8 is a bad value, not a missing one.
    let lookup = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let settings = Settings::load(lookup);
    log::init(settings.as_ref().map(|settings| settings.log).unwrap_or_default());
    let Settings { dry_run_first, sdk, .. } = match settings {
        Ok(settings) => settings,
        Err(bad) => {
            tracing::error!(variable = bad.variable, value = bad.value, allowed = bad.allowed, "{bad}");
            return ExitCode::FAILURE;
        }
    };
    let ec2 = Ec2::connect(sdk, roots::load(lookup), Secrets::load(lookup));
    let served = runtime::serve(move |event, context| {
        handler::invoke(ec2.clone(), dry_run_first, event, deadline::for_ec2(context.deadline))
    });
    let Err(error) = served.await else { return ExitCode::SUCCESS };
    tracing::error!("the runtime ended: {error}");
    ExitCode::FAILURE
}
