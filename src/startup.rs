//! The start of a function: it checks the settings, and says on standard error why it does not start.

use std::process::ExitCode;

use lambda_runtime::Error;
use tracing::{Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;

use crate::config::ConfigError;

/// Runs a function until it ends: starts the logs, then calls `serve` with the settings.
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

/// JSON lines on standard output, which Lambda sends to CloudWatch Logs.
fn start_logging() {
    let subscriber = subscriber(level(variable), std::io::stdout);
    // `init` would take the records of the log crate too, whose texts are 0.2 MB of a package.
    if let Err(error) = tracing::subscriber::set_global_default(subscriber) {
        eprintln!("there will be no log lines: {error}");
    }
}

/// The level of `RUST_LOG`, else that of Lambda's own setting (`AWS_LAMBDA_LOG_LEVEL`), by which Lambda
/// filters the lines once more. It is never below INFO: only dependencies log there, and their lines must
/// not be kept. Those of lambda_runtime have whole events in them, with names of files, and those of the
/// SDK have keys of photos.
fn level(variable: impl Fn(&str) -> Option<String>) -> Level {
    ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .iter()
        .find_map(|name| variable(name)?.to_lowercase().parse().ok())
        .unwrap_or(Level::INFO)
        .min(Level::INFO)
}

fn subscriber(
    level: Level,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .with_writer(writer)
        .finish()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The log of a function with these variables set.
    fn logged(variables: &[(&str, &str)]) -> String {
        let log = Log::default();
        let level = level(|name| {
            variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
        });
        let writer = log.clone();
        tracing::subscriber::with_default(subscriber(level, move || writer.clone()), || {
            tracing::trace!(target: "lambda_runtime", body = "Erika.jpg", "raw JSON event");
            tracing::debug!(target: "aws_smithy_runtime", uri = "Erika/1.jpg", "request");
            tracing::info!(outcome = "issued", "line of info");
            tracing::warn!("line of warn");
            tracing::error!("line of error");
        });
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn dependencies_log_the_contents_of_an_event_at_no_level() {
        for level in ["trace", "TRACE", "debug", "info"] {
            for name in ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"] {
                let log = logged(&[(name, level)]);
                assert!(!log.contains("Erika"), "{name}={level}: {log}");
                assert_eq!(log.lines().count(), 3, "{name}={level}: {log}");
            }
        }
    }

    #[test]
    fn the_functions_own_setting_takes_precedence_over_lambdas_and_nonsense_is_info() {
        let lines = |variables: &[(&str, &str)]| logged(variables).lines().count();
        assert_eq!(lines(&[]), 3);
        assert_eq!(lines(&[("RUST_LOG", "much")]), 3);
        assert_eq!(lines(&[("AWS_LAMBDA_LOG_LEVEL", "WARN")]), 2);
        assert_eq!(lines(&[("RUST_LOG", "error"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]), 1);
    }
}
