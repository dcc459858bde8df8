//! Start-up: settings, log, client, run.

use std::{env, process::ExitCode};

use deprovision_ipam_byoasn::{deadline, ec2::Ec2, handler, log, roots, runtime, secrets::Secrets, settings::Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
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
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Runtime API cannot be reached: {error}");
            ExitCode::FAILURE
        }
    }
}
