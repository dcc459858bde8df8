//! Start-up: settings, log, client, run.

use std::{env, process::ExitCode};

use deprovision_ipam_byoasn::{
    deadline, ec2::Ec2, event::Request, handler::handle, log, runtime, secrets::Secrets, settings::Settings,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Lossy: a value that is not UTF-8 is a bad value, not a missing one.
    let lookup = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let settings = Settings::load(lookup);
    log::init(settings.as_ref().map(|settings| settings.log).unwrap_or_default());
    let Settings { dry_run_first, region, .. } = match settings {
        Ok(settings) => settings,
        Err(bad) => {
            tracing::error!(variable = bad.variable, value = bad.value, allowed = bad.allowed, "{bad}");
            return ExitCode::FAILURE;
        }
    };
    let ec2 = Ec2::connect(region, Secrets::load(lookup)).await;
    let served = runtime::serve(move |event, context| {
        let ec2 = ec2.clone();
        async move {
            let request = Request::parse(&event, dry_run_first);
            let outcome = match &request {
                Ok(request) => handle(&ec2, request, deadline::for_ec2(context.deadline)).await,
                Err(invalid) => Err(invalid.clone()),
            };
            log::outcome(request.as_ref().ok(), &outcome);
            outcome.map(|response| response.to_json())
        }
    });
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Runtime API cannot be reached: {error}");
            ExitCode::FAILURE
        }
    }
}
