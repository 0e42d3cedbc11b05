//! Serves a scenario on loopback: `cargo run -p operator-sim --example serve -- store-killed 60`.
//!
//! The first argument is the scenario, the second the speed in model seconds per second. It begins now, so that at speed
//! 1 its clock is yours. The addresses are printed as one line of JSON; the process then lives until it is ended.

use std::time::{SystemTime, UNIX_EPOCH};

use operator_sim::{Scenario, Served, Speed, scenarios};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "healthy".to_owned());
    let speed: f64 = args.next().unwrap_or_else(|| "1".to_owned()).parse()?;
    let Some(scenario) = Scenario::named(&name) else {
        let known: Vec<&str> = scenarios().iter().map(|scenario| scenario.name).collect();
        return Err(format!(
            "there is no scenario {name}: expected one of {}",
            known.join(", ")
        )
        .into());
    };
    let now = u64::try_from(now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let served = Served::start(scenario.build_at(1, now), Speed::Times(speed)).await?;
    let addresses = serde_json::json!({
        "pd": served.pd,
        "prometheus": served.prometheus,
        "pages": served.pages,
        "control": served.control,
    });
    println!("{addresses}");
    std::future::pending().await
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever looks at the cluster asks the real clock"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
