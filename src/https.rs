//! The way to EC2: HTTP/1.1 over TLS, as the SDK wants it.
//!
//! The SDK's own client would do, at a price: it decodes the trust roots slowly and puts them in order twice, and
//! brings HTTP/2, which EC2 does not speak. `docs/performance.md` has the figures.

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
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::{
        legacy::{
            Client, Error,
            connect::{CaptureConnection, Connect, HttpConnector as Tcp, capture_connection, proxy::Tunnel},
        },
        proxy::matcher::Matcher,
    },
    rt::{TokioExecutor, TokioTimer},
};
use lambda_runtime::tower::{Service, ServiceExt, service_fn};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use crate::wire::find;

/// For name resolution, TCP and TLS together; the SDK's own figure.
const CONNECT: Duration = Duration::from_millis(3_100);

/// A client that trusts `roots`, and goes through the proxy that `HTTPS_PROXY` and its kin name.
pub(crate) fn client(roots: RootCertStore) -> SharedHttpClient {
    let mut tcp = Tcp::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let proxies = Arc::new(Matcher::from_env());
    let route = service_fn(move |destination: http::Uri| {
        let mut tcp = tcp.clone();
        let proxies = proxies.clone();
        Box::pin(async move {
            let Some(proxy) = proxies.intercept(&destination) else { return Ok(tcp.call(destination).await?) };
            let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
            let mut tunnel = match proxy.basic_auth() {
                Some(credentials) => tunnel.with_auth(credentials.clone()),
                None => tunnel,
            };
            Ok::<_, BoxError>(tunnel.call(destination).await?)
        })
    });
    let connect = HttpsConnectorBuilder::new()
        .with_tls_config(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .wrap_connector(route)
        .map_future(|connecting| {
            Box::pin(async {
                let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {CONNECT:?}"));
                timeout(CONNECT, connecting).await.map_err(|_| late())?
            })
        });
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connect);
    let connector = SharedHttpConnector::new(Https(client));
    http_client_fn(move |_, _| connector.clone())
}

struct Https<C>(Client<C, SdkBody>);

impl<C> fmt::Debug for Https<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Https")
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> HttpConnector for Https<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let response = self.0.request(request);
        HttpConnectorFuture::new(async {
            let response = response.await.map_err(connector_error)?.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK retire a connection whose server is unwell, before it repeats the call.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    let is_proxied = connection.connection_metadata().as_ref()?.is_proxied();
    let connection = connection.clone();
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(is_proxied).poison_fn(poison).build())
}

/// The SDK repeats a call whose connection failed, and not one whose answer is no HTTP.
fn connector_error(error: Error) -> ConnectorError {
    if find::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse) {
        ConnectorError::other(error.into(), None)
    } else {
        ConnectorError::io(error.into())
    }
}
