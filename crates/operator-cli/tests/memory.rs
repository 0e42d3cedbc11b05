//! How much memory a look takes: little, and no more for more regions.

mod support;

/// The most that a process has had in memory so far; the kernel's word.
#[cfg(target_os = "linux")]
fn peak_mib(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a kernel that counts");
    let kib: f64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    kib / 1024.0
}

#[cfg(target_os = "linux")]
#[test]
fn looks_take_no_more_memory_for_more_regions() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use operator_sim::Shape;
    use support::sim::Sim;

    let peak = |regions| {
        let shape = Shape {
            stores: 12,
            regions,
            ..Shape::default()
        };
        let sim = Sim::with(&shape, &[], 0);
        let (pd, prometheus) = (sim.pd(), sim.prometheus());
        let mut child = Command::new(env!("CARGO_BIN_EXE_operator"))
            .args(["watch", "--pd", &pd, "--prometheus", &prometheus])
            .args(["--interval", "2s", "--deadline", "60s", "--heartbeat", "1s"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut looks = lines
            .map_while(Result::ok)
            .filter(|line| line.contains(": 12 stores, "));
        let seen = looks.by_ref().take(2).count();
        let peak = peak_mib(child.id());
        let _ = child.kill();
        let _ = child.wait();
        assert_eq!(seen, 2);
        peak
    };
    let (few, many) = (peak(1_000), peak(50_000));
    assert!(few <= 64.0 && many <= 64.0, "{few} and {many} MiB");
    assert!(many <= few + 8.0, "{few} and {many} MiB");
}
