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
