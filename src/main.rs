//! The thumbnail function: reads its settings, opens its clients, and serves events.

use std::process::ExitCode;
use std::sync::Arc;

use aws_config::BehaviorVersion;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapFutureLayer;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use thumbnailer::config::Config;
use thumbnailer::handler::Handler;
use thumbnailer::process::Process;
use thumbnailer::startup;

#[tokio::main]
async fn main() -> ExitCode {
    startup::run("thumbnail", Config::read(startup::variable), serve).await
}

async fn serve(config: Config) -> Result<(), Error> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let handler = Arc::new(Handler::new(config, &aws));
    handler.connect().await;
    let process = Arc::new(Process::new(handler.blocking_work().clone()));
    let function = service_fn(move |event: LambdaEvent<Value>| {
        let handler = handler.clone();
        async move { handler.handle(event).await }
    });
    let invocation = MapFutureLayer::new(move |answered| {
        let process = process.clone();
        async move { process.invocation(answered).await }
    });
    Runtime::new(function).layer(TracingLayer::new()).layer(invocation).run_concurrent().await
}
