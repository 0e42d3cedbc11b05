//! What each store is asked for now: the load's share of its leaders, heat, and what befalls it.

use crate::num;

use super::condition::Flow;
use super::traffic::{self, Rates};
use super::{CORES, Cluster};

impl Cluster {
    /// The rates of one store as they are now.
    pub(crate) fn rates(&self, place: u16) -> Rates {
        let Some(condition) = self.conditions.stores.get(usize::from(place)) else {
            return Rates::default();
        };
        let tally = self.regions.tally(place);
        let regions = self.regions.len().max(1) as f64;
        let load = &self.shape.load;
        let busy_day = traffic::swing(self.now, load.daily_swing)
            * traffic::unrest(self.shape.seed, place, self.now);
        // Who reaches nobody commits nothing, whatever it leads.
        let leading = if condition.parted {
            0.0
        } else {
            f64::from(tally.leaders.saturating_sub(tally.headless))
        };
        let share = leading / regions * busy_day;
        let (mut writes, mut reads) = (
            load.writes_per_second * share,
            load.reads_per_second * share,
        );
        for heat in &self.conditions.heat {
            let led = self
                .regions
                .get(heat.region)
                .is_some_and(|row| row.is_led_by(place) && !row.is_headless());
            match heat.flow {
                Flow::Write if led => writes += heat.per_second,
                Flow::Read if led => reads += heat.per_second,
                _ => {}
            }
        }
        let (orphans, running) = self.orphans();
        let all = self.conditions.all_slow.unwrap_or(1.0);
        let quota = CORES;
        let work = 0.2 + 0.000_5 * (2.0 * writes + reads);
        Rates {
            writes,
            reads,
            not_leader: load.writes_per_second * busy_day * orphans / regions / running.max(1.0),
            busy: condition.busy.unwrap_or(0.0),
            network_slow: 1.0 + condition.network_ms.unwrap_or(0.0) / 1e3 / traffic::WRITE,
            stalled: condition.stalled.unwrap_or(0.0),
            disk_slow: all * condition.disk_slow.unwrap_or(1.0),
            read_slow: all * condition.read_slow.unwrap_or(1.0),
            leaders: leading,
            lag: condition
                .log_lag
                .map(|entries| (entries, 0.2))
                .or_else(|| self.lag_behind_the_silent()),
            cpu_cores: condition
                .cpu
                .map_or(work.min(quota * 0.5), |part| part * quota),
            critical: condition.critical_errors.unwrap_or(0.0),
            unreachable: self.unreachable_from(place),
            discard: condition.discard.unwrap_or(0.0),
        }
    }

    /// The stores that a store cannot reach, by id.
    fn unreachable_from(&self, place: u16) -> Vec<u64> {
        if self.condition_of(place).is_some_and(|c| c.parted) {
            let others = self.stores.iter().filter(|store| store.is_tikv());
            let others = others.map(|store| store.id);
            return others.filter(|id| *id != u64::from(place) + 1).collect();
        }
        let silent = self.silent.iter();
        silent
            .filter_map(|place| Some(self.store(*place)?.id))
            .collect()
    }

    /// Regions that nobody leads, and running stores.
    fn orphans(&self) -> (f64, f64) {
        let of_the_silent: u32 = self
            .silent
            .iter()
            .map(|place| self.regions.tally(*place))
            .map(|tally| tally.leaders - tally.headless)
            .sum();
        let silent = self.silent.len() as f64;
        (
            f64::from(self.regions.ailing().headless + of_the_silent),
            self.tikv_stores() as f64 - silent,
        )
    }

    /// How far the peers on silent stores lag, and the part of regions that have one.
    fn lag_behind_the_silent(&self) -> Option<(f64, f64)> {
        let regions = self.regions.len().max(1) as f64;
        let per_region = self.shape.load.writes_per_second * 2.0 / regions;
        self.silent
            .iter()
            .filter_map(|place| {
                let since = self.store(*place)?.silent_since?;
                let lag = per_region * num::seconds(self.now.saturating_sub(since));
                Some((lag, f64::from(self.regions.tally(*place).peers) / regions))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(lag, part)| (lag, part.min(1.0)))
    }

    /// Counts what a store did up to now, before its rates change or somebody looks.
    pub(crate) fn accrue(&mut self, place: u16) {
        let rates = self.rates(place);
        let now = self.now;
        if let Some(store) = self.stores.get_mut(usize::from(place)) {
            if store.is_running() {
                store.counters.accrue(now, &rates);
            } else {
                store.counters.at = now;
            }
        }
    }

    pub(super) fn accrue_all(&mut self) {
        for place in 0..self.stores.len() {
            self.accrue(num::ordinal(place));
        }
    }
}
