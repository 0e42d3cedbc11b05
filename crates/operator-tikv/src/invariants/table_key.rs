//! Keys as `TiDB` writes them, as far as they tell one table from another.

use operator_core::KeyRange;

/// Bytes of a key that go together, and the byte after them that tells how many are padding.
const GROUP: usize = 8;
/// `t` and the table's number.
const TABLE: usize = 9;
/// `x` and the keyspace's number, before everything else where there are keyspaces.
const KEYSPACE: usize = 4;

/// Where a region lies within its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At its end, or at the end of all keys: what is appended arrives there.
    Tail,
    /// It holds the whole table.
    Whole,
    /// Elsewhere, or nobody can tell.
    Elsewhere,
}

pub(super) fn place(range: &KeyRange) -> Place {
    let KeyRange { start, end } = range;
    let (first, next) = (Table::of(start), Table::of(end));
    let beyond = |table: &Table| next.as_ref().is_none_or(|next| next.prefix != table.prefix);
    match first {
        Some(table) if beyond(&table) => match table.begins_it {
            true => Place::Whole,
            false => Place::Tail,
        },
        Some(_) => Place::Elsewhere,
        None => match end.is_empty() && !start.is_empty() {
            true => Place::Tail,
            false => Place::Elsewhere,
        },
    }
}

/// The table that a key belongs to.
struct Table {
    prefix: Vec<u8>,
    /// Whether the key is the table's very first.
    begins_it: bool,
}

impl Table {
    fn of(key: &[u8]) -> Option<Self> {
        let raw = decoded(key, KEYSPACE + TABLE + 1)?;
        let keyspace = match raw.first()? {
            b'x' => KEYSPACE,
            _ => 0,
        };
        let prefix = raw.get(..keyspace + TABLE)?;
        let is_table = prefix.get(keyspace) == Some(&b't');
        is_table.then(|| Self {
            prefix: prefix.to_vec(),
            begins_it: raw.len() == prefix.len(),
        })
    }
}

/// The first bytes of what is encoded so that encoded keys sort as the keys do: groups of eight, each with a
/// ninth byte that says how many of them count.
fn decoded(key: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut raw = Vec::new();
    for group in key.chunks(GROUP + 1) {
        let (marker, data) = group.split_last().filter(|_| group.len() == GROUP + 1)?;
        let padding = usize::from(u8::MAX - marker);
        raw.extend_from_slice(data.get(..GROUP.checked_sub(padding)?)?);
        if padding > 0 || raw.len() >= most {
            return Some(raw);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key as it is written.
    fn encoded(raw: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        for start in (0..=raw.len()).step_by(GROUP) {
            let group = &raw[start..raw.len().min(start + GROUP)];
            key.extend_from_slice(group);
            key.resize(key.len() + GROUP - group.len(), 0);
            key.push(u8::MAX - u8::try_from(GROUP - group.len()).expect("a group is small"));
        }
        key
    }

    fn table(id: u8, row: &[u8]) -> Vec<u8> {
        let number = [0x80, 0, 0, 0, 0, 0, 0, id];
        encoded(&[b"t", &number[..], row].concat())
    }

    #[track_caller]
    fn check(start: Vec<u8>, end: Vec<u8>, expected: Place) {
        assert_eq!(place(&KeyRange { start, end }), expected);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for raw in [
            &b""[..],
            b"a",
            b"12345678",
            b"123456789",
            b"t1234567890123456",
        ] {
            assert_eq!(decoded(&encoded(raw), 100).as_deref(), Some(raw));
        }
        assert_eq!(encoded(b"a"), b"a\0\0\0\0\0\0\0\xF8");
        for torn in [&b"abc"[..], b"12345678", b"12345678\x01", b"12345678\xFF"] {
            assert_eq!(decoded(torn, 100), None, "{torn:?}");
        }
    }

    #[test]
    fn the_tail_of_a_table_is_where_the_next_begins() {
        check(table(45, b"_r12"), table(47, b""), Place::Tail);
        check(table(45, b"_r12"), table(47, b"_r5"), Place::Tail);
        check(table(45, b"_r12"), Vec::new(), Place::Tail);
        check(table(45, b"_r12"), table(45, b"_r50"), Place::Elsewhere);
        check(table(45, b""), table(45, b"_r50"), Place::Elsewhere);
        check(table(45, b""), table(47, b""), Place::Whole);
        check(table(45, b"_r12"), encoded(b"u"), Place::Tail);
    }

    #[test]
    fn a_table_of_a_keyspace_is_one_too() {
        let in_keyspace = |id: u8, row: &[u8]| {
            let number = [0x80, 0, 0, 0, 0, 0, 0, id];
            encoded(&[b"x\0\0\x01t", &number[..], row].concat())
        };
        check(in_keyspace(5, b"_r1"), in_keyspace(6, b""), Place::Tail);
        check(
            in_keyspace(5, b"_r1"),
            in_keyspace(5, b"_r2"),
            Place::Elsewhere,
        );
    }

    #[test]
    fn other_keys_have_a_tail_at_the_end_of_all() {
        check(b"user9".to_vec(), Vec::new(), Place::Tail);
        check(b"user1".to_vec(), b"user2".to_vec(), Place::Elsewhere);
        check(Vec::new(), Vec::new(), Place::Elsewhere);
        check(Vec::new(), b"user".to_vec(), Place::Elsewhere);
    }
}
