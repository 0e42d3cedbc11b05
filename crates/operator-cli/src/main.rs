//! The `operator` command.

mod args;
mod commands;
mod exit;
mod findings;
mod report;
mod target;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use exit::Exit;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(usage) => {
            // Help and version are answers; everything else is a wrong command line.
            let exit = if usage.use_stderr() {
                Exit::Usage
            } else {
                Exit::Healthy
            };
            let _ = usage.print();
            return exit.into();
        }
    };
    trace(args.verbose);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(args)),
        Err(error) => Err(format!("cannot start: {error}")),
    };
    outcome
        .unwrap_or_else(|error| {
            let _ = writeln!(io::stderr(), "operator: {error}");
            Exit::Usage
        })
        .into()
}

/// Runs a command; an error is one of the command line.
async fn run(args: Args) -> Result<Exit, String> {
    match args.command {
        Command::Check(check) => commands::check::run(check).await,
    }
}

/// Traces go to standard error, so that standard output stays what was asked for.
fn trace(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing_subscriber::filter::LevelFilter::INFO,
        2 => tracing_subscriber::filter::LevelFilter::DEBUG,
        _ => tracing_subscriber::filter::LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .init();
}
