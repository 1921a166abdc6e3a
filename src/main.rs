//! The thumbnail function: reads its settings, opens its clients, and serves events.

use std::process::ExitCode;

use aws_config::BehaviorVersion;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use thumbnailer::config::Config;
use thumbnailer::handler::Handler;
use tracing::Level;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::read(|name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("thumbnail does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    start_logging();
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("thumbnail stops: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> Result<(), Error> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let handler = Handler::new(config, &aws);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| handler.handle(event))).await
}

/// JSON lines on standard output, which Lambda sends to CloudWatch Logs. Lambda's own log level
/// setting (`AWS_LAMBDA_LOG_LEVEL`) goes before `RUST_LOG`.
fn start_logging() {
    let level = ["AWS_LAMBDA_LOG_LEVEL", "RUST_LOG"]
        .iter()
        .find_map(|name| std::env::var(name).ok()?.to_lowercase().parse().ok())
        .unwrap_or(Level::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .init();
}
