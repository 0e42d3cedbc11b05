//! Loopback has sixteen million addresses: every server gets one, with the ports that such servers have.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

/// An address that no other server of this process has, nor any of another process but by chance.
pub fn loopback() -> Ipv4Addr {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    of(std::process::id(), number)
}

/// 127.0.0.0/16 is left to others.
fn of(process: u32, number: u32) -> Ipv4Addr {
    let [.., high, low] = process.to_be_bytes();
    let first = 1 + high % 254;
    let [.., last] = (1 + number % 254).to_be_bytes();
    Ipv4Addr::new(127, first, low, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_the_loopback_and_differ() {
        let some: std::collections::BTreeSet<_> = (0..254).map(|n| of(66_000, n)).collect();
        assert_eq!(some.len(), 254);
        assert!(some.iter().all(Ipv4Addr::is_loopback));
        assert_ne!(of(1, 0), of(2, 0));
    }
}
