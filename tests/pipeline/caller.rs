//! Plain HTTP, and who signs it: what calls AWS without an SDK.

use aws_calls::signature::sign;
use aws_config::{Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use ureq::Agent;
use ureq::http::{Request, Response};

/// Who calls AWS, known by its access key.
pub struct Caller {
    access_key_id: String,
    aws: SdkConfig,
}

impl Caller {
    /// The account itself, as for the SDKs.
    pub fn root() -> Caller {
        let variable = |name: &str| std::env::var(name).unwrap();
        Caller::new(&variable("AWS_ACCESS_KEY_ID"), &variable("AWS_SECRET_ACCESS_KEY"))
    }

    /// Whoever has this access key.
    pub fn new(access_key_id: &str, secret: &str) -> Caller {
        let credentials = Credentials::new(access_key_id, secret, None, None, "test");
        let aws = SdkConfig::builder()
            .region(Region::new(std::env::var("AWS_REGION").unwrap()))
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        Caller { access_key_id: access_key_id.to_owned(), aws: aws.build() }
    }

    /// The access key's public half.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Signs a request to a service and sends it; gives every answer, refusals too.
    pub async fn send(&self, service: &str, mut request: Request<Vec<u8>>) -> Response<String> {
        sign(&mut request, service, &self.aws).await.unwrap();
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
