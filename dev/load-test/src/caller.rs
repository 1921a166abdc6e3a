//! Calls over plain HTTP, without an SDK.

use std::time::Duration;

use aws_calls::answers::reason;
use aws_calls::signature::sign;
use aws_config::SdkConfig;
use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector;
use serde_json::Value;
use tokio::time::timeout;
use ureq::http::{Error, Request, Uri};

/// A caller with the region, credentials and endpoint of the standard AWS variables and files.
pub struct Caller {
    aws: SdkConfig,
    http: Connector,
    /// Longest duration of a call.
    patience: Duration,
}

impl Caller {
    pub fn new(aws: SdkConfig, patience: Duration) -> Caller {
        let http = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build();
        Caller { aws, http, patience }
    }

    /// URL of a service in the region, or of the local AWS.
    pub fn url(&self, service: &str) -> String {
        match self.aws.endpoint_url() {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                // Without a region, no request can be signed.
                let region = self.aws.region().map_or("", AsRef::as_ref);
                format!("https://{service}.{region}.amazonaws.com")
            }
        }
    }

    /// Signs a request to a service and sends it. Returns the status and the JSON of any answer,
    /// refusals included.
    pub async fn ask(
        &self,
        service: &str,
        request: Result<Request<Vec<u8>>, Error>,
    ) -> Result<(u16, Value), String> {
        let mut request = request.map_err(reason)?;
        let signed = sign(&mut request, service, &self.aws).await;
        signed.map_err(|error| reason(error.as_ref()))?;
        let answer = self.send(Ok(request)).await?;
        let status = answer.status().as_u16();
        let text = self.text(answer).await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Sends a request as it is, and returns any answer, refusals included.
    pub async fn send(
        &self,
        request: Result<Request<Vec<u8>>, Error>,
    ) -> Result<HttpResponse, String> {
        let request = request.map_err(reason)?;
        let place = place(request.uri());
        let request = HttpRequest::try_from(request.map(Into::into)).map_err(reason)?;
        let answer = timeout(self.patience, self.http.call(request)).await;
        let answer =
            answer.map_err(|_| format!("{place} did not answer in {:?}", self.patience))?;
        answer.map_err(|error| format!("cannot reach {place}: {}", reason(error)))
    }

    /// The body of an answer.
    pub async fn text(&self, answer: HttpResponse) -> Result<String, String> {
        let body = timeout(self.patience, ByteStream::new(answer.into_body()).collect()).await;
        let body = body.map_err(|_| format!("the answer did not end in {:?}", self.patience))?;
        Ok(String::from_utf8_lossy(&body.map_err(reason)?.into_bytes()).into_owned())
    }
}

/// Scheme and host of a URL. The rest may hold a signature.
fn place(url: &Uri) -> String {
    let scheme = url.scheme_str().unwrap_or_default();
    format!("{scheme}://{}", url.authority().map_or("", |authority| authority.as_str()))
}
