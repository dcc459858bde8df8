//! The three calls to EC2.

use std::{num::NonZero, time::Duration};

use aws_config::{BehaviorVersion, Region, environment::EnvironmentVariableCredentialsProvider};
use aws_sdk_ec2::{
    Client,
    config::{
        Builder, Config,
        retry::{RetryConfig, RetryMode, RetryPartition, TokenBucket},
        timeout::TimeoutConfig,
    },
    types::{AsnAssociationState, AsnState, Byoasn, ByoipCidr},
};
use rustls::RootCertStore;
use tokio::time::Instant;

use crate::{
    asn::Asn,
    event::Request,
    https,
    secrets::Secrets,
    settings::Sdk,
    wire::{Answer, Cause, Failure, Witness},
};

/// One attempt's time. EC2 answers within seconds; an attempt whose connection was lost without a
/// word shall leave time for another.
const ATTEMPT: Duration = Duration::from_secs(10);

/// The most that either list gives at once.
const PAGE: i32 = 100;

/// EC2 in one Region, with the credentials of this process.
#[derive(Clone, Debug)]
pub struct Ec2 {
    client: Client,
    secrets: Secrets,
}

impl Ec2 {
    /// Builds the client, which trusts `roots`.
    ///
    /// From the settings alone: the SDK's own way to them brings every kind of credentials provider along, 0.4 MB
    /// of code that Lambda never runs.
    #[must_use]
    pub fn connect(sdk: Sdk, roots: RootCertStore, secrets: Secrets) -> Self {
        let attempts = sdk.max_attempts.map(NonZero::get);
        let retry = (attempts.is_some() || sdk.retry_mode.is_some()).then(|| {
            let retry = RetryConfig::standard().with_retry_mode(sdk.retry_mode.unwrap_or(RetryMode::Standard));
            attempts.map_or(retry.clone(), |attempts| retry.with_max_attempts(attempts))
        });
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(sdk.region))
            // Lambda gives credentials in the environment, and nowhere else: to look further is to
            // wait for a metadata service that is not there.
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .http_client(https::client(roots))
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build())
            // The SDK's quota of retries is shared by all calls of a process: throttles of one
            // invocation would take the retries of another.
            .retry_partition(RetryPartition::custom("invocation").token_bucket(TokenBucket::unlimited()).build());
        config
            .set_endpoint_url(sdk.endpoint)
            .set_use_fips(sdk.use_fips)
            .set_use_dual_stack(sdk.use_dual_stack)
            .set_retry_config(retry)
            .set_app_name(sdk.app_name);
        Self { client: Client::from_conf(config.build()), secrets }
    }

    /// `DeprovisionIpamByoasn`.
    ///
    /// # Errors
    ///
    /// The [`Failure`]; a success without `byoasn` is a bad response.
    pub(crate) async fn deprovision(&self, request: &Request, deadline: Instant) -> Result<(Byoasn, Answer), Failure> {
        let call = self.client.deprovision_ipam_byoasn().ipam_id(&request.ipam_id).asn(request.asn.to_string());
        let witness = self.witness();
        let call = call.customize().interceptor(witness.clone()).send();
        let (output, answer) = witness.attend(deadline, call).await?;
        match output.byoasn {
            Some(byoasn) => Ok((byoasn, answer)),
            None => Err(Failure { cause: Cause::from_answer(answer, "it has no byoasn"), outcome_unknown: true }),
        }
    }

    /// The same with `DryRun`: passes with EC2's message, changes nothing. The inner error is the answer of
    /// an endpoint that answered with success, which a dry run never does.
    ///
    /// # Errors
    ///
    /// The [`Failure`].
    pub(crate) async fn dry_run(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<Result<String, Answer>, Failure> {
        let call = self.client.deprovision_ipam_byoasn().ipam_id(&request.ipam_id).asn(request.asn.to_string());
        let witness = self.witness();
        let call = call.dry_run(true).customize().interceptor(witness.clone()).send();
        match witness.attend(deadline, call).await {
            Ok((_, answer)) => Ok(Err(answer)),
            Err(Failure { cause: Cause::Refused { code, answer }, .. }) if code == "DryRunOperation" => {
                Ok(Ok(answer.message.unwrap_or(code)))
            }
            Err(failure) => Err(failure),
        }
    }

    /// What `DescribeIpamByoasn` lists for this ASN under this IPAM.
    ///
    /// # Errors
    ///
    /// The [`Failure`] of the page that could not be read.
    pub(crate) async fn provisionings(&self, request: &Request, deadline: Instant) -> Result<Vec<Byoasn>, Failure> {
        let mut found = Vec::new();
        let mut page = None;
        loop {
            let call = self.client.describe_ipam_byoasn().max_results(PAGE).set_next_token(page.clone());
            let witness = self.witness();
            let call = call.customize().config_override(one_attempt()).interceptor(witness.clone()).send();
            let (output, answer) = witness.attend(deadline, call).await?;
            found.extend(
                output
                    .byoasns
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|byoasn| is(request.asn, byoasn.asn()) && byoasn.ipam_id() == Some(&request.ipam_id)),
            );
            if !turn(&mut page, output.next_token, answer)? {
                return Ok(found);
            }
        }
    }

    /// The CIDRs that `DescribeByoipCidrs` shows associated with the ASN, in any state but
    /// `disassociated`, as a person reads them.
    ///
    /// # Errors
    ///
    /// The [`Failure`] of the page that could not be read.
    pub(crate) async fn associations(&self, asn: Asn, deadline: Instant) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let mut page = None;
        loop {
            let call = self.client.describe_byoip_cidrs().max_results(PAGE).set_next_token(page.clone());
            let witness = self.witness();
            let call = call.customize().config_override(one_attempt()).interceptor(witness.clone()).send();
            let (output, answer) = witness.attend(deadline, call).await?;
            found.extend(
                output
                    .byoip_cidrs
                    .unwrap_or_default()
                    .iter()
                    .flat_map(ByoipCidr::asn_associations)
                    .filter(|a| is(asn, a.asn()) && a.state() != Some(&AsnAssociationState::Disassociated))
                    .map(|a| {
                        let state = a.state().map_or("in an unknown state", AsnAssociationState::as_str);
                        self.secrets.redact(&format!("{} ({state})", a.cidr().unwrap_or("a CIDR without a name")))
                    }),
            );
            if !turn(&mut page, output.next_token, answer)? {
                return Ok(found);
            }
        }
    }

    /// What EC2 says in a status message, without secrets.
    pub(crate) fn status_message(&self, byoasn: &Byoasn) -> Option<String> {
        byoasn.status_message().map(|message| self.secrets.redact(message))
    }

    /// What `DescribeIpamByoasn` listed, as a sentence.
    pub(crate) fn describe(&self, entries: &[Byoasn]) -> String {
        if entries.is_empty() {
            return "DescribeIpamByoasn lists no such ASN under this IPAM.".into();
        }
        let state = |entry: &Byoasn| {
            let state = entry.state().map_or("unknown", AsnState::as_str);
            entry.status_message().map_or_else(|| state.into(), |message| format!("{state} ({message})"))
        };
        let states: Vec<_> = entries.iter().map(state).collect();
        let states = self.secrets.redact(&states.join(" and "));
        format!("DescribeIpamByoasn lists the ASN under this IPAM in state {states}.")
    }

    fn witness(&self) -> Witness {
        Witness::new(self.secrets.clone())
    }
}

/// A look is one attempt: the answer it may add to is an error already.
fn one_attempt() -> Builder {
    Config::builder().retry_config(RetryConfig::disabled())
}

fn is(asn: Asn, text: Option<&str>) -> bool {
    text.and_then(|text| text.parse().ok()) == Some(asn)
}

/// Turns to the next page, if there is one. A token that comes back would turn for ever.
fn turn(page: &mut Option<String>, next: Option<String>, answer: Answer) -> Result<bool, Failure> {
    let last = std::mem::replace(page, next.filter(|token| !token.is_empty()));
    if page.is_some() && *page == last {
        return Err(Failure { cause: Cause::from_answer(answer, "its pages repeat"), outcome_unknown: false });
    }
    Ok(page.is_some())
}
