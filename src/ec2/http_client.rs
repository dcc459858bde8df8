//! The HTTP client of the SDK: HTTP/1.1 over TLS, directly or through a proxy.
//!
//! The SDK's default client is not used because it costs start-up time: it prepares the trust store twice, and links
//! HTTP/2, which EC2 does not offer. `docs/design.md` has the figures.

use std::{fmt, io, sync::Arc, time::Duration};

use aws_sdk_ec2::{
    config::{
        SharedHttpClient,
        http::{HttpRequest, HttpResponse},
    },
    error::{BoxError, ConnectorError},
};
use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
};
use aws_smithy_types::body::SdkBody;
use http::{Uri, uri::Scheme};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::{
        legacy::{
            Client, Error,
            connect::{CaptureConnection, Connect, HttpConnector as TcpConnector, capture_connection, proxy::Tunnel},
        },
        proxy::matcher::Matcher,
    },
    rt::{TokioExecutor, TokioTimer},
};
use lambda_runtime::tower::{Service, ServiceExt, service_fn};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use super::{
    attempts::find_source,
    status_line::{StatusLineStream, SuccessStatus},
};
use crate::settings::ProxySettings;

/// The time limit for name resolution, TCP and TLS together. It is the SDK's default.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// A client that trusts `roots`, connects through the proxies, and records the status of 2xx responses.
pub(super) fn new(proxies: &ProxySettings, roots: RootCertStore, success_status: &SuccessStatus) -> SharedHttpClient {
    let success_status = success_status.clone();
    let mut tcp = TcpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let ProxySettings { https, http, all, no_proxy } = proxies.clone();
    let proxies = Arc::new(Matcher::builder().https(https).http(http).all(all).no(no_proxy).build());
    let route = service_fn(move |destination: Uri| {
        let mut tcp = tcp.clone();
        let proxies = proxies.clone();
        Box::pin(async move {
            let Some(proxy) = proxies.intercept(&destination) else { return Ok(tcp.call(destination).await?) };
            let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
            let mut tunnel = match proxy.basic_auth() {
                Some(credentials) => tunnel.with_auth(credentials.clone()),
                None => tunnel,
            };
            Ok::<_, BoxError>(tunnel.call(with_port(destination)?).await?)
        })
    });
    let connect = HttpsConnectorBuilder::new()
        .with_tls_config(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .wrap_connector(route)
        .map_response(move |stream| StatusLineStream::new(stream, success_status.clone()))
        .map_future(|connecting| {
            Box::pin(async {
                let timed_out =
                    || io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {CONNECT_TIMEOUT:?}"));
                timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| timed_out())?
            })
        });
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connect);
    let connector = SharedHttpConnector::new(HyperConnector(client));
    http_client_fn(move |_, _| connector.clone())
}

/// The adapter between the SDK's request type and hyper's.
struct HyperConnector<C>(Client<C, SdkBody>);

impl<C> fmt::Debug for HyperConnector<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HyperConnector")
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> HttpConnector for HyperConnector<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || connection_metadata(&connection));
        }
        let response = self.0.request(request);
        HttpConnectorFuture::new(async {
            let response = response.await.map_err(connector_error)?.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK close a connection after a server error, before it retries.
fn connection_metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    let is_proxied = connection.connection_metadata().as_ref()?.is_proxied();
    let connection = connection.clone();
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(is_proxied).poison_fn(poison).build())
}

/// Converts an error into the SDK's type. The SDK retries I/O errors. A response that is not HTTP comes from something other
/// than EC2, so it is not retried.
fn connector_error(error: Error) -> ConnectorError {
    if find_source::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse) {
        ConnectorError::other(error.into(), None)
    } else {
        ConnectorError::io(error.into())
    }
}

/// The destination with an explicit port. `Tunnel` would ask the proxy for port 443, also for `http://`.
fn with_port(destination: Uri) -> Result<Uri, http::Error> {
    let Some(host) = destination.host().filter(|_| destination.port().is_none()) else { return Ok(destination) };
    let port = if destination.scheme() == Some(&Scheme::HTTP) { 80 } else { 443 };
    let scheme = destination.scheme_str().unwrap_or("https");
    Uri::builder().scheme(scheme).authority(format!("{host}:{port}")).path_and_query(destination.path()).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_without_port_gets_that_of_its_scheme() {
        for (destination, expected) in [
            ("http://ec2.example/", "http://ec2.example:80/"),
            ("https://ec2.example/", "https://ec2.example:443/"),
            ("http://ec2.example:8080/", "http://ec2.example:8080/"),
            ("http://[::1]/", "http://[::1]:80/"),
        ] {
            assert_eq!(with_port(Uri::from_static(destination)).expect("URI"), Uri::from_static(expected));
        }
    }
}
