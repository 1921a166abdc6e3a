//! Plain HTTP, and who signs it: what calls AWS without an SDK.

use std::time::SystemTime;

use aws_sdk_s3::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use ureq::Agent;
use ureq::http::{HeaderValue, Request, Response};

/// Who calls AWS, known by its access key.
pub struct Caller {
    credentials: Credentials,
    region: String,
}

impl Caller {
    /// The account itself, as for the SDKs.
    pub fn root() -> Caller {
        let variable = |name: &str| std::env::var(name).unwrap();
        Caller::new(&variable("AWS_ACCESS_KEY_ID"), &variable("AWS_SECRET_ACCESS_KEY"))
    }

    /// Whoever has this access key.
    pub fn new(access_key_id: &str, secret: &str) -> Caller {
        Caller {
            credentials: Credentials::new(access_key_id, secret, None, None, "test"),
            region: std::env::var("AWS_REGION").unwrap(),
        }
    }

    /// The access key's public half.
    pub fn access_key_id(&self) -> &str {
        self.credentials.access_key_id()
    }

    /// Signs a request to a service and sends it; gives every answer, refusals too.
    pub async fn send(&self, service: &str, mut request: Request<Vec<u8>>) -> Response<String> {
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap();
        let (method, uri) = (request.method().to_string(), request.uri().to_string());
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let body = SignableBody::Bytes(request.body());
        let signable = SignableRequest::new(&method, uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &params.into()).unwrap().into_parts();
        let signed: Vec<_> = instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), HeaderValue::from_str(value).unwrap()))
            .collect();
        for (name, value) in signed {
            request.headers_mut().insert(name.parse::<ureq::http::HeaderName>().unwrap(), value);
        }
        send(request).await
    }
}

/// Sends a request as it is; gives every answer, refusals too.
pub async fn send(request: Request<Vec<u8>>) -> Response<String> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    tokio::task::spawn_blocking(move || {
        let (head, mut body) = agent.run(request).unwrap().into_parts();
        Response::from_parts(head, body.read_to_string().unwrap())
    })
    .await
    .unwrap()
}
