//! Start-up: settings, log, trust store, EC2 client, runtime.

use std::{env, io, process::ExitCode};

use deprovision_ipam_byoasn::{
    deadline,
    ec2::{Ec2, trust_roots},
    handler, logging,
    redaction::Redactor,
    runtime,
    settings::Settings,
};

fn main() -> io::Result<ExitCode> {
    Ok(runtime::executor()?.block_on(start()))
}

async fn start() -> ExitCode {
    // Invalid UTF-8 is replaced, because a variable with such a value must be reported as invalid, not as missing.
    let lookup = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let redactor = Redactor::load(lookup);
    let settings = Settings::load(lookup);
    logging::init(settings.as_ref().map(|settings| settings.log).unwrap_or_default());
    let loaded = settings.and_then(|settings| Ok((trust_roots::load(&settings.trust_store)?, settings)));
    let (roots, Settings { dry_run_first, client, .. }) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            logging::invalid_setting(&error, &redactor);
            return ExitCode::FAILURE;
        }
    };
    let ec2 = Ec2::new(client, roots, redactor);
    let served = runtime::serve(move |event, context| {
        handler::invoke(ec2.clone(), dry_run_first, event, deadline::for_ec2(context.deadline))
    });
    let Err(error) = served.await else { return ExitCode::SUCCESS };
    tracing::error!("the Lambda runtime ended: {error}");
    ExitCode::FAILURE
}
