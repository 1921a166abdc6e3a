//! Signatures of requests that no SDK makes (IAM User Guide, "AWS Signature Version 4 for API requests").

use std::error::Error;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_s3::config::ProvideCredentials;
use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4::SigningParams;
use ureq::http::Request;
use ureq::http::header::ToStrError;

/// Signs a request to a service, for the region and with the credentials of `aws`.
///
/// # Errors
///
/// If `aws` has no region or no credentials, or if a header of the request is not text.
pub async fn sign(
    request: &mut Request<Vec<u8>>,
    service: &str,
    aws: &SdkConfig,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let region = aws.region().ok_or("no region is set: set AWS_REGION")?;
    let provider = aws
        .credentials_provider()
        .ok_or("no credentials are set: set AWS_PROFILE or AWS_ACCESS_KEY_ID")?;
    let identity = provider.provide_credentials().await?.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region.as_ref())
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?;
    let (method, url) = (request.method().to_string(), request.uri().to_string());
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| Ok((name.as_str(), value.to_str()?)));
    let headers = headers.collect::<Result<Vec<_>, ToStrError>>()?.into_iter();
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(&method, url, headers, body)?;
    let (instructions, _) = http_request::sign(signable, &params.into())?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}
