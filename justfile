# `just` lists these; `.ci/run` is the gate itself, so that it needs no `just`.

_default:
    @just --list

# everything that must hold before a change lands
ci:
    .ci/run

# the tests alone
test:
    cargo test --workspace

# format what is here
fmt:
    cargo fmt --all

# what reads PD's regions, side by side with what else could
bench-pd:
    cargo build --release -p operator-bench --bin pd
    target/release/pd decode
    target/release/pd scan

# a million regions of a real PD, where `pd-server` and `pd-heartbeat-bench` are at hand, and curl over the same pages
real-million:
    cargo build --release -p operator-bench --bin pd
    # PD has one core: with all of them it works ahead on each, and what reads it gets none.
    GOMAXPROCS=1 target/release/pd real 1000000

# what real servers and recordings of them say: Prometheus, PD, TiKV; what could not run is said
real:
    .ci/real

# what reads Prometheus, side by side with what else could, and what it costs a real server
bench-prom:
    cargo build --release -p operator-bench --bin prom
    target/release/prom decode
    target/release/prom observe
    target/release/prom cost

# time the log reader against ripgrep on a gigabyte of generated log
bench-logs file="target/bench.log" rounds="9":
    cargo build --release -p operator-bench
    test -e {{file}} || target/release/operator-bench generate-log {{file}}
    test -e {{file}}.gz || gzip -6 --keep {{file}}
    target/release/operator-bench logs {{file}} rg {{rounds}}
    target/release/operator-bench adversarial

# time one small read, as a whole process, against curl
bench-cli rounds="101":
    cargo build --release -p operator-bench -p operator-cli
    target/release/operator-bench cli target/release/operator curl {{rounds}}

# play a recorded incident: one JSON line for each change, and a summary; `just replay DIR --elections` prints its logs' story
replay dir *flags:
    cargo run --quiet -p operator-bench --bin replay -- {{flags}} {{dir}}

# one look at 300 stores over HTTP: how long PD, Prometheus and judging take
bench-look:
    cargo run --release -p operator-bench --bin look

# every scenario in which nothing is wrong, an hour each, with many seeds: nothing may be told
controls seeds="20":
    OPERATOR_SEEDS={{seeds}} cargo test -p operator-tikv --test rules -- an_hour
