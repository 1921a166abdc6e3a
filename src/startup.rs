//! How a function starts: with its settings checked, and a line on standard error where it does not.

use std::process::ExitCode;

use lambda_runtime::Error;
use tracing::Level;

use crate::config::ConfigError;

/// Runs a function until it ends: `serve` does so with the settings that were read, once logs are
/// written.
pub async fn run<C>(
    function: &str,
    config: Result<C, ConfigError>,
    serve: impl AsyncFnOnce(C) -> Result<(), Error>,
) -> ExitCode {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{function} does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    start_logging();
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{function} stops: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The value of an environment variable, if it is set to text.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// JSON lines on standard output, which Lambda sends to CloudWatch Logs. `RUST_LOG` goes before
/// Lambda's own setting (`AWS_LAMBDA_LOG_LEVEL`), by which Lambda filters the lines once more.
fn start_logging() {
    let level = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .iter()
        .find_map(|name| variable(name)?.to_lowercase().parse().ok())
        .unwrap_or(Level::INFO);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .finish();
    // Not by `init`, which takes the records of the log crate too: their texts are 0.2 MB of a package.
    if let Err(error) = tracing::subscriber::set_global_default(subscriber) {
        eprintln!("there will be no log lines: {error}");
    }
}
