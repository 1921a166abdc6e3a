//! The upload-url function: reads its settings and answers requests.

use std::process::ExitCode;

use aws_config::BehaviorVersion;
use lambda_runtime::{Error, service_fn};
use thumbnailer::config::UploadConfig;
use thumbnailer::startup;
use thumbnailer::upload_url::UploadUrls;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    startup::run("upload-url", UploadConfig::read(startup::variable), serve).await
}

async fn serve(config: UploadConfig) -> Result<(), Error> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let urls = UploadUrls::new(config, &aws);
    lambda_runtime::run(service_fn(|event| urls.answer(event))).await
}
