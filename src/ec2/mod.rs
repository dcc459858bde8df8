//! The EC2 client: the operations that the function calls, and their pagination.

mod attempts;
mod http_client;
mod response;
mod status_line;
pub mod trust_roots;
mod xml;

use std::future::Future;

use aws_config::{BehaviorVersion, Region, environment::EnvironmentVariableCredentialsProvider};
use aws_sdk_ec2::{
    Client,
    config::{
        Builder, Config,
        retry::{RetryConfig, RetryPartition, TokenBucket},
        timeout::TimeoutConfig,
    },
    error::SdkError,
};
use rustls::RootCertStore;
use tokio::time::{Duration, Instant};

pub(crate) use self::response::is_throttle;
use self::{attempts::AttemptTracker, response::DRY_RUN_OPERATION, status_line::SuccessStatus};
pub use self::{
    attempts::{CallError, CallErrorKind},
    response::{Content, Ec2Response, ResponseMetadata},
    xml::{BodyError, Element},
};
use crate::{
    asn::Asn,
    event::Request,
    redaction::Redactor,
    response::{AsnAssociation, Byoasn},
    settings::ClientSettings,
    text::{to_single_line, truncate},
};

/// The time limit of one attempt. EC2 responds within seconds. The limit is short enough that a silently dropped
/// connection leaves time for a retry.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The action that ends the provisioning of an ASN.
const DEPROVISION: &str = "DeprovisionIpamByoasn";

/// The largest page that either list allows.
const PAGE_SIZE: i32 = 100;

/// The maximum number of pages of a list. The quotas allow only a few ASNs and CIDRs, so a longer list is taken for endless.
const MAX_PAGES: usize = 100;

/// A list with more entries of the ASN than this, and yet another page, is taken for endless.
const MAX_ENTRIES: usize = 1_000;

/// The maximum length of one text from EC2. Step Functions accepts a response of 256 KiB.
const MAX_TEXT_BYTES: usize = 2_000;

/// How EC2 responded to a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DryRunOutcome {
    /// EC2 would have executed the request.
    Passed {
        /// EC2's message.
        message: String,
    },
    /// An attempt got a 2xx, which EC2 never sends for a dry run: the endpoint may have ignored `DryRun`.
    NotHonored(ResponseMetadata),
}

/// Whether a describe call is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retries {
    /// As the client is configured.
    Configured,
    /// Not at all: after a refusal, describe calls are made on a best-effort basis.
    None,
}

impl Retries {
    fn config(self) -> Builder {
        match self {
            Self::Configured => Config::builder(),
            Self::None => Config::builder().retry_config(RetryConfig::disabled()),
        }
    }
}

/// EC2 in one Region, with the credentials of this process.
#[derive(Clone, Debug)]
pub struct Ec2 {
    client: Client,
    success_status: SuccessStatus,
    redactor: Redactor,
}

impl Ec2 {
    /// A client that trusts `roots`.
    ///
    /// `aws_config::load` is not used: it would link every kind of credentials provider, 0.4 MB of code that Lambda never
    /// runs.
    #[must_use]
    pub fn new(settings: ClientSettings, roots: RootCertStore, redactor: Redactor) -> Self {
        let success_status = SuccessStatus::default();
        let retry =
            RetryConfig::standard().with_retry_mode(settings.retry_mode).with_max_attempts(settings.max_attempts);
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(settings.region))
            // Lambda provides credentials only in the environment. Other providers would wait for a metadata service
            // that does not exist there.
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .http_client(http_client::new(&settings.proxies, roots, &success_status))
            .retry_config(retry)
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
            // Lambda keeps the clock. The SDK would adjust to the `Date` of any response, and panics on the year 9999.
            .disable_clock_skew_correction(true)
            // By default all calls of a process share a quota of retries: one throttled invocation would take the
            // retries of the next.
            .retry_partition(RetryPartition::custom("without quota").token_bucket(TokenBucket::unlimited()).build());
        config
            .set_endpoint_url(settings.endpoint)
            .set_use_fips(settings.use_fips)
            .set_use_dual_stack(settings.use_dual_stack)
            .set_app_name(settings.app_name);
        Self { client: Client::from_conf(config.build()), success_status, redactor }
    }

    /// `DeprovisionIpamByoasn`.
    ///
    /// # Errors
    ///
    /// A [`CallError`]. A success without `byoasn` or its state is a bad response.
    pub(crate) async fn deprovision(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<(Byoasn, ResponseMetadata), CallError> {
        let tracker = self.tracker(DEPROVISION);
        let (root, metadata) = self.send_deprovision(request, None, deadline, &tracker).await?;
        match self.read_deprovisioned(request, &root) {
            Ok(byoasn) => Ok((byoasn, metadata)),
            Err(error) => {
                Err(CallError { kind: CallErrorKind::BadResponse { error, metadata }, outcome_unknown: true })
            }
        }
    }

    /// The `byoasn` of a success. It has a state, and names the ASN and the IPAM of the request or omits them.
    fn read_deprovisioned(&self, request: &Request, root: &Element) -> Result<Byoasn, BodyError> {
        // Also at different depths, where another reader could take one for the other.
        if ["byoasn", "state", "asn", "ipamId"].into_iter().any(|name| root.occurrences(name) > 1) {
            return Err(BodyError::Duplicate);
        }
        let element = root.child("byoasn").ok_or(BodyError::Missing("byoasn"))?;
        let asn_matches = element.text("asn")?.is_none_or(|asn| asn.parse() == Ok(request.asn));
        let ipam_matches = element.text("ipamId")?.is_none_or(|id| id == request.ipam_id);
        let byoasn = self.byoasn(request, element)?;
        if byoasn.state.is_none() {
            return Err(BodyError::Missing("state"));
        }
        if asn_matches && ipam_matches { Ok(byoasn) } else { Err(BodyError::OtherResource) }
    }

    /// `DeprovisionIpamByoasn` with `DryRun`, which changes nothing.
    ///
    /// # Errors
    ///
    /// A [`CallError`], if the dry run has not passed.
    pub(crate) async fn dry_run(&self, request: &Request, deadline: Instant) -> Result<DryRunOutcome, CallError> {
        let tracker = self.tracker(DEPROVISION);
        self.success_status.reset();
        let result = self.send_deprovision(request, Some(true), deadline, &tracker).await;
        // The tracker sees no response whose headers are incomplete.
        let incomplete = || Some(ResponseMetadata { status: self.success_status.get()?, request_id: None });
        if let Some(metadata) = tracker.success().or_else(incomplete) {
            return Ok(DryRunOutcome::NotHonored(metadata));
        }
        match result {
            Err(CallError { kind: CallErrorKind::Refused { code, message, .. }, .. }) if code == DRY_RUN_OPERATION => {
                let message = message.unwrap_or(code);
                Ok(DryRunOutcome::Passed { message: truncate(&to_single_line(&message), MAX_TEXT_BYTES).to_owned() })
            }
            Err(error) => Err(error),
            // A success is a 2xx, so the tracker has recorded it.
            Ok((_, metadata)) => Ok(DryRunOutcome::NotHonored(metadata)),
        }
    }

    async fn send_deprovision(
        &self,
        request: &Request,
        dry_run: Option<bool>,
        deadline: Instant,
        tracker: &AttemptTracker,
    ) -> Result<(Element, ResponseMetadata), CallError> {
        let call = self.client.deprovision_ipam_byoasn().ipam_id(&request.ipam_id).asn(request.asn.to_string());
        let call = call.set_dry_run(dry_run).customize().interceptor(tracker.clone()).send();
        tracker.run(deadline, call).await
    }

    /// The entries that `DescribeIpamByoasn` lists for this ASN under this IPAM.
    ///
    /// # Errors
    ///
    /// The [`CallError`] of the page that could not be read.
    pub(crate) async fn describe_byoasns(
        &self,
        request: &Request,
        retries: Retries,
        deadline: Instant,
    ) -> Result<Vec<Byoasn>, CallError> {
        let send = |token, tracker| {
            let call = self.client.describe_ipam_byoasn().max_results(PAGE_SIZE).set_next_token(token);
            call.customize().config_override(retries.config()).interceptor(tracker).send()
        };
        let read = |root: &Element, found: &mut Vec<Byoasn>| {
            for item in root.items("byoasnSet")? {
                let ipam_id = || item.text("ipamId")?.ok_or(BodyError::Missing("ipamId"));
                if read_asn(item)? == request.asn && ipam_id()? == request.ipam_id {
                    found.push(self.byoasn(request, item)?);
                }
            }
            Ok(())
        };
        self.read_pages("DescribeIpamByoasn", deadline, send, read).await
    }

    /// The associations of the ASN that `DescribeByoipCidrs` lists, except those in state `disassociated`.
    ///
    /// # Errors
    ///
    /// The [`CallError`] of the page that could not be read.
    pub(crate) async fn describe_associations(
        &self,
        asn: Asn,
        retries: Retries,
        deadline: Instant,
    ) -> Result<Vec<AsnAssociation>, CallError> {
        let send = |token, tracker| {
            let call = self.client.describe_byoip_cidrs().max_results(PAGE_SIZE).set_next_token(token);
            call.customize().config_override(retries.config()).interceptor(tracker).send()
        };
        let read = |root: &Element, found: &mut Vec<AsnAssociation>| {
            for cidr in root.items("byoipCidrSet")? {
                // EC2 omits the set of a CIDR that was never associated.
                let associations = match cidr.child("asnAssociationSet") {
                    Some(_) => cidr.items("asnAssociationSet")?,
                    None => &[],
                };
                for item in associations {
                    if read_asn(item)? == asn && item.text("state")? != Some("disassociated") {
                        found.push(AsnAssociation {
                            cidr: self.text(item, "cidr")?.or(self.text(cidr, "cidr")?),
                            state: self.text(item, "state")?,
                            status_message: self.text(item, "statusMessage")?,
                            byoip_cidr_state: self.text(cidr, "state")?,
                        });
                    }
                }
            }
            Ok(())
        };
        self.read_pages("DescribeByoipCidrs", deadline, send, read).await
    }

    /// Reads all pages of a list. An incomplete list is never returned: a list that repeats a token or exceeds
    /// [`MAX_PAGES`] or [`MAX_ENTRIES`] is an error.
    async fn read_pages<T, O, E, F>(
        &self,
        action: &'static str,
        deadline: Instant,
        send: impl Fn(Option<String>, AttemptTracker) -> F,
        read: impl Fn(&Element, &mut Vec<T>) -> Result<(), BodyError>,
    ) -> Result<Vec<T>, CallError>
    where
        E: std::error::Error + 'static,
        F: Future<Output = Result<O, SdkError<E>>>,
    {
        let mut found = Vec::new();
        let mut token = None;
        let mut pages = 0;
        loop {
            let tracker = self.tracker(action);
            let call = send(token.clone(), tracker.clone());
            // Describe calls change nothing, so their outcome is never unknown.
            let known = |error| CallError { outcome_unknown: false, ..error };
            let (root, metadata) = tracker.run(deadline, call).await.map_err(known)?;
            let bad_response = |error| {
                let metadata = metadata.clone();
                CallError { kind: CallErrorKind::BadResponse { error, metadata }, outcome_unknown: false }
            };
            read(&root, &mut found).map_err(bad_response)?;
            let next = root.text("nextToken").map_err(bad_response)?.map(str::to_owned);
            pages += 1;
            if next.is_none() {
                return Ok(found);
            }
            if next == token || pages == MAX_PAGES || found.len() > MAX_ENTRIES {
                return Err(bad_response(BodyError::EndlessList));
            }
            token = next;
        }
    }

    /// A `byoasn` element or a list entry, with the ASN as asplain.
    fn byoasn(&self, request: &Request, element: &Element) -> Result<Byoasn, BodyError> {
        Ok(Byoasn {
            asn: element.text("asn")?.map(|_| request.asn.to_string()),
            ipam_id: self.text(element, "ipamId")?,
            // A state of invisible characters is no state.
            state: self.text(element, "state")?.filter(|state| state.contains(char::is_alphanumeric)),
            status_message: self.text(element, "statusMessage")?,
        })
    }

    /// The text of a child element in the form that callers see: redacted, on one line, at most [`MAX_TEXT_BYTES`] long.
    fn text(&self, element: &Element, name: &'static str) -> Result<Option<String>, BodyError> {
        let text = element.text(name)?.map(|text| to_single_line(&self.redactor.redact(text)));
        Ok(text.map(|text| truncate(&text, MAX_TEXT_BYTES).to_owned()))
    }

    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    fn tracker(&self, action: &'static str) -> AttemptTracker {
        AttemptTracker::new(action, self.redactor.clone())
    }
}

/// The ASN of a list entry, in any of its textual forms. Without one, it is not known whose entry it is, and the list is not
/// complete.
fn read_asn(item: &Element) -> Result<Asn, BodyError> {
    item.text("asn")?.and_then(|text| text.parse().ok()).ok_or(BodyError::Missing("asn that can be read"))
}
