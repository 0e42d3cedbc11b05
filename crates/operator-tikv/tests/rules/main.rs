//! The rules on a simulated cluster that lives: each one is raised by its fault, for the right entity and in
//! time, is silent where nothing is wrong, and is blind where it cannot see.

mod lab;

use std::time::Duration;

use lab::Lab;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long() {
    let mut lab = Lab::scenario("healthy", 7).await;
    #[expect(clippy::disallowed_methods, reason = "x")]
    let begin = std::time::Instant::now();
    for _ in 0..100 {
        lab.look(Duration::from_secs(10)).await;
    }
    eprintln!("100 looks {:?}", begin.elapsed());
}
