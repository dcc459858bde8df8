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
    answer::Answer,
    asn::Asn,
    error::{cut, unbroken},
    event::Request,
    https,
    secrets::Secrets,
    settings::Sdk,
    wire::{Cause, Failure, Witness},
};

/// One attempt's time. EC2 answers within seconds; an attempt whose connection was lost without a
/// word shall leave time for another.
const ATTEMPT: Duration = Duration::from_secs(10);

/// The most that either list gives at once.
const PAGE: i32 = 100;

/// The most pages of a list that are read: the quota is a handful of ASNs and CIDRs, so more is a
/// list without an end.
const PAGES: usize = 100;

/// The most entries of one ASN that a list may have and go on.
const ENTRIES: usize = 1_000;

/// The most of a text in EC2's answer that is passed on, in bytes: Step Functions takes 256 KiB in all.
const LONGEST: usize = 2_000;

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
            // Lambda keeps the clock. The SDK would reckon with the `Date` of any answer, and panic on one in the
            // year 9999.
            .disable_clock_skew_correction(true)
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
        let why = match output.byoasn {
            Some(byoasn) if is_about(request, &byoasn) => return Ok((self.presentable(request, byoasn), answer)),
            Some(_) => "it speaks of another ASN or IPAM",
            None => "it has no byoasn",
        };
        Err(Failure { cause: Cause::from_answer(answer, why), outcome_unknown: true })
    }

    /// The same with `DryRun`: passes with EC2's message, changes nothing. The inner error is the answer of
    /// an endpoint that answered with success at any attempt, readable or not, which a dry run never does.
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
        let result = witness.clone().attend(deadline, call).await.map(|(_, answer)| answer);
        if let Some(answer) = witness.half_success() {
            return Ok(Err(answer));
        }
        match result.as_ref().map_or_else(Failure::answer, Some).cloned() {
            Some(answer) if answer.code.as_deref() == Some("DryRunOperation") => {
                Ok(Ok(cut(answer.message.as_deref().unwrap_or("DryRunOperation"), LONGEST).to_owned()))
            }
            Some(answer) if (200..300).contains(&answer.status) => Ok(Err(answer)),
            _ => result.map(Err),
        }
    }

    /// What `DescribeIpamByoasn` lists for this ASN under this IPAM.
    ///
    /// # Errors
    ///
    /// The [`Failure`] of the page that could not be read.
    pub(crate) async fn provisionings(&self, request: &Request, deadline: Instant) -> Result<Vec<Byoasn>, Failure> {
        let mut found = Vec::new();
        let mut page = Page::default();
        loop {
            let call = self.client.describe_ipam_byoasn().max_results(PAGE).set_next_token(page.token.clone());
            let witness = self.witness();
            let call = call.customize().config_override(one_attempt()).interceptor(witness.clone()).send();
            let (output, answer) = witness.attend(deadline, call).await?;
            found.extend(
                output
                    .byoasns
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|byoasn| is(request.asn, byoasn.asn()) && byoasn.ipam_id() == Some(&request.ipam_id))
                    .map(|byoasn| self.presentable(request, byoasn)),
            );
            if !page.turn(output.next_token, found.len(), answer)? {
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
        let mut page = Page::default();
        loop {
            let call = self.client.describe_byoip_cidrs().max_results(PAGE).set_next_token(page.token.clone());
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
            if !page.turn(output.next_token, found.len(), answer)? {
                return Ok(found);
            }
        }
    }

    /// An answer as a caller may see it: the ASN in canonical form, no secrets, and no text of any length.
    fn presentable(&self, request: &Request, mut byoasn: Byoasn) -> Byoasn {
        let fit = |text: &str| cut(&self.secrets.redact(text), LONGEST).to_owned();
        byoasn.asn = byoasn.asn.map(|_| request.asn.to_string());
        byoasn.status_message = byoasn.status_message.as_deref().map(fit);
        byoasn.state = byoasn.state.map(|state| unbroken(&fit(state.as_str())).as_str().into());
        byoasn
    }

    /// What `DescribeIpamByoasn` listed, as a sentence.
    pub(crate) fn describe(entries: &[Byoasn]) -> String {
        if entries.is_empty() {
            return "DescribeIpamByoasn lists no such ASN under this IPAM.".into();
        }
        let state = |entry: &Byoasn| {
            let state = entry.state().map_or("unknown", AsnState::as_str);
            entry.status_message().map_or_else(|| state.into(), |message| format!("{state} ({message})"))
        };
        let states: Vec<_> = entries.iter().map(state).collect();
        format!("DescribeIpamByoasn lists the ASN under this IPAM in state {}.", states.join(" and "))
    }

    fn witness(&self) -> Witness {
        Witness::new(self.secrets.clone())
    }
}

/// A look is one attempt: the answer it may add to is an error already.
fn one_attempt() -> Builder {
    Config::builder().retry_config(RetryConfig::disabled())
}

/// Whether an answer is about what was asked, as far as it says.
fn is_about(request: &Request, byoasn: &Byoasn) -> bool {
    byoasn.asn().is_none_or(|asn| is(request.asn, Some(asn)))
        && byoasn.ipam_id().is_none_or(|ipam_id| ipam_id == request.ipam_id)
}

fn is(asn: Asn, text: Option<&str>) -> bool {
    text.and_then(|text| text.parse().ok()) == Some(asn)
}

/// Where to go on in a list.
#[derive(Default)]
struct Page {
    token: Option<String>,
    before: usize,
}

impl Page {
    /// Turns to the next page, if there is one, when so many entries were `found`. A token that comes back would turn
    /// for ever, and so may tokens that are ever new.
    fn turn(&mut self, next: Option<String>, found: usize, answer: Answer) -> Result<bool, Failure> {
        let last = std::mem::replace(&mut self.token, next.filter(|token| !token.is_empty()));
        self.before += 1;
        if self.token.is_some() && (self.token == last || self.before == PAGES || found > ENTRIES) {
            return Err(Failure { cause: Cause::from_answer(answer, "its pages do not end"), outcome_unknown: false });
        }
        Ok(self.token.is_some())
    }
}
