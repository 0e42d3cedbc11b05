//! One small read as a whole process, beside `curl`.

use operator_sim::{Scenario, Served, Speed};

use crate::Outcome;
use crate::race::{Contender, race};

/// Times `operator members`, which asks PD four things, and `curl`, which asks one of them, of the same server.
pub(crate) fn small_read(operator: &str, curl: &str, rounds: usize) -> Outcome {
    let scenario = Scenario::named("healthy").ok_or("no healthy scenario")?;
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let serve = async {
            let served = Served::start(scenario.build(1), Speed::Still).await;
            let pd = served.as_ref().map(|served| served.pd.clone());
            let _ = tell.send(pd.map_err(ToString::to_string));
            // Served until the process ends.
            std::future::pending::<()>().await;
        };
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            runtime.block_on(serve);
        }
    });
    let pd = told.recv()??;
    let url = pd.first().ok_or("nobody of PD serves")?;
    let args = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    race(
        &[
            Contender {
                name: "curl /pd/api/v1/members",
                program: curl.to_owned(),
                args: args(&["-sS", "--fail", &format!("{url}/pd/api/v1/members")]),
                against: 0,
            },
            Contender {
                name: "operator members",
                program: operator.to_owned(),
                args: args(&["members", "--pd", url]),
                against: 0,
            },
            Contender {
                name: "operator --version",
                program: operator.to_owned(),
                args: args(&["--version"]),
                against: 0,
            },
        ],
        rounds,
    )
}
