//! The thumbnail function: reads its settings, opens its clients, and serves events.

use std::process::{ExitCode, exit};

use aws_config::BehaviorVersion;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapResponseLayer;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
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
    let function = service_fn(|event: LambdaEvent<Value>| handler.handle(event));
    let after_the_answer = MapResponseLayer::new(|()| end_if_at_work(&handler));
    Runtime::new(function).layer(TracingLayer::new()).layer(after_the_answer).run().await
}

/// Work that was given up but cannot be stopped must not go on beside the next event: Lambda starts
/// another process for that.
fn end_if_at_work(handler: &Handler) {
    if handler.is_at_work() {
        tracing::warn!("the process ends: a photo that was given up is still being decoded");
        exit(1);
    }
}

/// JSON lines on standard output, which Lambda sends to CloudWatch Logs. `RUST_LOG` goes before
/// Lambda's own setting (`AWS_LAMBDA_LOG_LEVEL`), by which Lambda filters the lines once more.
fn start_logging() {
    let level = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
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
