//! The `operator` command.

mod args;
mod commands;
mod config;
mod context;
mod exit;
mod failure;
mod findings;
mod nearest;
mod report;
mod rulebook;
mod screen;
mod span;
mod state;
mod stop;
mod target;
mod term;
mod text;
mod units;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use config::Config;
use context::Context;
use exit::Exit;
use failure::{Failure, Outcome};

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
    trace(args.output.verbose);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(args)),
        Err(error) => Err(Failure::local(format!("cannot start: {error}"))),
    };
    outcome
        .unwrap_or_else(|failure| {
            let _ = writeln!(io::stderr(), "{failure}");
            failure.exit
        })
        .into()
}

/// Runs a command.
async fn run(args: Args) -> Outcome {
    let config = config(&args)?;
    let context = Context::new(&args.output, &config);
    match args.command {
        Command::Check(check) => commands::check::run(check, config, &context).await,
        Command::Logs(logs) => commands::logs::run(logs, args.output.verbose, &context),
        Command::Sim(sim) => commands::sim::run(sim, &context).await,
        Command::Demo(demo) => commands::demo::run(demo, &args.output, &context).await,
        Command::Status(status) => commands::status::run(status, config, &context).await,
        Command::Watch(watch) => commands::watch::run(watch, &args.output, config, &context).await,
        Command::Why(why) => commands::why::run(why, config, &context).await,
        Command::Explain(explain) => commands::rules::explain(&explain, &config, &context),
        Command::Rules(rules) => commands::rules::list(&rules, &config, &context),
        Command::Maintenance(args) => commands::maintenance::run(args, config, &context).await,
        Command::Completions(args) => commands::shell::completions(&args),
        Command::Man(args) => commands::shell::man(&args),
        Command::Stores(look) => commands::stores::run(look, config, &context).await,
        Command::Store(store) => commands::stores::one(store, config, &context).await,
        Command::Regions(regions) => commands::regions::run(regions, config, &context).await,
        Command::Region(region) => commands::regions::one(region, config, &context).await,
        Command::Hot(hot) => commands::hot::run(hot, config, &context).await,
        Command::Metrics(look) => commands::metrics::run(look, config, &context).await,
        Command::Members(look) => commands::members::run(look, config, &context).await,
        Command::Schedulers(look) => commands::schedulers::run(look, config, &context).await,
        Command::Capabilities(look) => commands::capabilities::run(look, config, &context).await,
        Command::Contract(look) => commands::contract::run(look, config, &context).await,
    }
}

/// The configuration file, where one is named.
fn config(args: &Args) -> Outcome<Config> {
    let named = args.output.config.clone().or_else(|| {
        let named = std::env::var_os("OPERATOR_CONFIG")?;
        (!named.is_empty()).then(|| PathBuf::from(named))
    });
    named.map_or_else(|| Ok(Config::default()), |path| Config::read(&path))
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
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .init();
}
