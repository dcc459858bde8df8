//! The function's one call as the SDK's examples write it.

use aws_config::BehaviorVersion;
use aws_sdk_ec2::Client;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    ipam_id: String,
    asn: String,
}

async fn deprovision(ec2: &Client, event: LambdaEvent<Request>) -> Result<Value, Error> {
    let Request { ipam_id, asn } = event.payload;
    let output = ec2.deprovision_ipam_byoasn().ipam_id(ipam_id).asn(asn).send().await?;
    let byoasn = output.byoasn.ok_or("EC2 answered without a Byoasn")?;
    Ok(json!({ "Byoasn": {
        "Asn": byoasn.asn(),
        "IpamId": byoasn.ipam_id(),
        "State": byoasn.state().map(|state| state.as_str()),
    } }))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let ec2 = Client::new(&config);
    run(service_fn(|event| deprovision(&ec2, event))).await
}
