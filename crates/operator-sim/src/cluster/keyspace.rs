//! Where regions lie in the key space: each has a start, and ends where the next one begins.
//!
//! Positions are rows of tables; what keys they have is said by PD's face. A region keeps its slot in the table of
//! regions for life, so what is planned for it never has to be found again; only its place moves.

use crate::num;

/// Rows of a region that was there from the beginning.
pub(crate) const WIDTH: u64 = 100_000;

#[derive(Debug, Clone, Default)]
pub(crate) struct KeySpace {
    /// The first position of each slot.
    starts: Vec<u64>,
    /// The slots in the order of their keys, without those that were merged away.
    order: Vec<u32>,
}

impl KeySpace {
    /// Room for one more region, at the end of the key space.
    pub(super) fn push(&mut self) {
        let slot = num::row(self.starts.len());
        self.starts.push(u64::from(slot) * WIDTH);
        self.order.push(slot);
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The slot in this place.
    pub(crate) fn at(&self, place: usize) -> Option<u32> {
        self.order.get(place).copied()
    }

    /// The slots from a place on, in the order of their keys.
    pub(crate) fn from(&self, place: usize) -> impl Iterator<Item = u32> + '_ {
        self.order.get(place..).unwrap_or_default().iter().copied()
    }

    pub(crate) fn start(&self, slot: u32) -> u64 {
        let start = self.starts.get(num::place(slot.into()));
        start.copied().unwrap_or_default()
    }

    /// Where the region in this slot ends; `None` at the end of the key space.
    pub(crate) fn end(&self, slot: u32) -> Option<u64> {
        self.at(self.place_of(slot)? + 1)
            .map(|next| self.start(next))
    }

    /// The place of a slot; `None` when it was merged away.
    pub(crate) fn place_of(&self, slot: u32) -> Option<usize> {
        let place = self.place_before(|start| start <= self.start(slot))?;
        (self.at(place) == Some(slot)).then_some(place)
    }

    /// The last place whose start is said to lie before something; starts ascend, and so must the answers fall.
    pub(crate) fn place_before(&self, before: impl Fn(u64) -> bool) -> Option<usize> {
        self.order
            .partition_point(|slot| before(self.start(*slot)))
            .checked_sub(1)
    }

    /// The part of a region before `at` goes to the next new slot. False where `at` does not lie within the region.
    pub(super) fn split(&mut self, slot: u32, at: u64) -> bool {
        let (start, end) = (self.start(slot), self.end(slot));
        let Some(place) = self.place_of(slot) else {
            return false;
        };
        if at <= start || end.is_some_and(|end| at >= end) {
            return false;
        }
        self.order.insert(place, num::row(self.starts.len()));
        self.starts.push(start);
        if let Some(own) = self.starts.get_mut(num::place(slot.into())) {
            *own = at;
        }
        true
    }

    /// A region takes the place of a neighbour. False where they are none.
    pub(super) fn merge(&mut self, gone: u32, into: u32) -> bool {
        let (Some(gone_place), Some(into_place)) = (self.place_of(gone), self.place_of(into))
        else {
            return false;
        };
        if gone_place.abs_diff(into_place) != 1 {
            return false;
        }
        let start = self.start(gone).min(self.start(into));
        self.order.remove(gone_place);
        if let Some(own) = self.starts.get_mut(num::place(into.into())) {
            *own = start;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> KeySpace {
        let mut keys = KeySpace::default();
        (0..3).for_each(|_| keys.push());
        keys
    }

    fn order(keys: &KeySpace) -> Vec<u32> {
        keys.from(0).collect()
    }

    #[test]
    fn the_right_part_of_a_split_keeps_its_slot() {
        let mut keys = three();
        assert!(keys.split(2, 2 * WIDTH + 50));
        assert_eq!(order(&keys), [0, 1, 3, 2]);
        assert_eq!(
            (keys.start(3), keys.end(3)),
            (2 * WIDTH, Some(2 * WIDTH + 50))
        );
        assert_eq!(keys.end(2), None, "the tail stays the tail");
        assert!(
            !keys.split(3, 2 * WIDTH),
            "a region is not split at its start"
        );
        assert!(!keys.split(3, 2 * WIDTH + 50), "nor at its end");
    }

    #[test]
    fn a_merge_leaves_no_hole_on_either_side() {
        let mut keys = three();
        assert!(!keys.merge(0, 2), "they are no neighbours");
        assert!(keys.merge(0, 1));
        assert_eq!((order(&keys), keys.start(1)), (vec![1, 2], 0));
        assert_eq!(keys.place_of(0), None);
        assert!(keys.merge(2, 1));
        assert_eq!((order(&keys), keys.end(1)), (vec![1], None));
    }
}
