//! The thumbnail function: reads its settings, opens its clients, and serves events.

use std::process::{ExitCode, exit};

use aws_config::BehaviorVersion;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapResponseLayer;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use thumbnailer::config::Config;
use thumbnailer::handler::Handler;
use thumbnailer::startup;

#[tokio::main]
async fn main() -> ExitCode {
    startup::run("thumbnail", Config::read(startup::variable), serve).await
}

async fn serve(config: Config) -> Result<(), Error> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let handler = Handler::new(config, &aws);
    handler.connect().await;
    let function = service_fn(|event: LambdaEvent<Value>| handler.handle(event));
    let after_the_answer = MapResponseLayer::new(|()| end_with_abandoned_work(&handler));
    Runtime::new(function).layer(TracingLayer::new()).layer(after_the_answer).run().await
}

/// Ends the process if it has pixel work that was given up but cannot be stopped: that must not go on
/// beside the next event, for which Lambda starts another process.
fn end_with_abandoned_work(handler: &Handler) {
    if handler.has_abandoned_work() {
        tracing::warn!("the process ends: a photo that was given up is still being decoded");
        exit(1);
    }
}
