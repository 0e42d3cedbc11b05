//! Bodies that come compressed, unpacked as they come and bounded by what they unpack to.

use std::borrow::Cow;
use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use operator_core::Fault;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// What stands between the wire and whoever reads a body.
pub(super) struct Unpacking {
    gzip: Option<Box<MultiGzDecoder<Room>>>,
    limit_bytes: usize,
    left_bytes: usize,
}

/// Takes in so many bytes and no more.
struct Room {
    bytes: Vec<u8>,
    left: usize,
    overrun: bool,
}

impl Unpacking {
    /// As the answer's headers say, up to so many bytes.
    pub(super) fn of(headers: &HeaderMap, limit_bytes: usize) -> Result<Self, Fault> {
        let coding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
        let gzip = match coding.map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"" | b"identity") => None,
            Some(b"gzip" | b"x-gzip") => Some(Box::new(MultiGzDecoder::new(Room {
                bytes: Vec::new(),
                left: limit_bytes,
                overrun: false,
            }))),
            Some(other) => {
                let found = String::from_utf8_lossy(other).chars().take(40).collect();
                let expected = "gzip or no content encoding".into();
                return Err(Fault::Decode { expected, found });
            }
        };
        Ok(Self {
            gzip,
            limit_bytes,
            left_bytes: limit_bytes,
        })
    }

    /// What a piece of the wire comes to.
    pub(super) fn take<'p>(&mut self, piece: &'p [u8]) -> Result<Cow<'p, [u8]>, Fault> {
        let Some(gzip) = &mut self.gzip else {
            let left = self.left_bytes.checked_sub(piece.len());
            self.left_bytes = left.ok_or_else(|| too_large(self.limit_bytes))?;
            return Ok(Cow::Borrowed(piece));
        };
        let written = gzip.write_all(piece);
        self.unpacked(written)
    }

    /// What was held back until the end; an error where the end is missing.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Fault> {
        let Some(gzip) = &mut self.gzip else {
            return Ok(Vec::new());
        };
        let written = gzip.try_finish();
        self.unpacked(written).map(Cow::into_owned)
    }

    fn unpacked<'p>(&mut self, written: io::Result<()>) -> Result<Cow<'p, [u8]>, Fault> {
        let limit_bytes = self.limit_bytes;
        let Some(room) = self.gzip.as_mut().map(|gzip| gzip.get_mut()) else {
            return Ok(Cow::Borrowed(&[]));
        };
        match written {
            Ok(()) => Ok(Cow::Owned(std::mem::take(&mut room.bytes))),
            Err(_) if room.overrun => Err(too_large(limit_bytes)),
            Err(error) => Err(Fault::Decode {
                expected: "a whole gzip stream".into(),
                found: error.to_string(),
            }),
        }
    }
}

fn too_large(limit_bytes: usize) -> Fault {
    Fault::Decode {
        expected: format!("at most {limit_bytes} bytes"),
        found: "more".into(),
    }
}

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.left.checked_sub(bytes.len()) {
            Some(left) => {
                self.left = left;
                self.bytes.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            None => {
                self.overrun = true;
                Err(io::Error::other("too large"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use reqwest::header::HeaderValue;

    fn unpack(coding: &'static str, pieces: &[&[u8]], limit: usize) -> Result<Vec<u8>, String> {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(coding))]);
        let mut unpacking = Unpacking::of(&headers, limit).map_err(|fault| fault.to_string())?;
        let mut all = Vec::new();
        for piece in pieces {
            all.extend_from_slice(&unpacking.take(piece).map_err(|fault| fault.to_string())?);
        }
        all.extend(unpacking.finish().map_err(|fault| fault.to_string())?);
        Ok(all)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_packed_comes_out_whole_however_it_was_cut() {
        let text = b"up is 1, up is 1, up is 1".repeat(100);
        let packed = gzip(&text);
        for cut in (0..packed.len()).step_by(7) {
            let (head, tail) = packed.split_at(cut);
            assert_eq!(unpack("gzip", &[head, tail], 5000).unwrap(), text);
        }
        assert_eq!(unpack("identity", &[b"a", b"b"], 2).unwrap(), b"ab");
    }

    #[test]
    fn a_bomb_is_given_up_at_the_limit_of_what_it_unpacks_to() {
        let bomb = gzip(&vec![b' '; 3 << 20]);
        let fault = unpack("gzip", &[&bomb], 1 << 20).unwrap_err();
        assert_eq!(fault, "expected at most 1048576 bytes, found more");
        let fault = unpack("", &[b"abc", b"d"], 3).unwrap_err();
        assert_eq!(fault, "expected at most 3 bytes, found more");
    }

    #[test]
    fn half_a_stream_other_bytes_and_other_codings_are_refused() {
        let packed = gzip(b"a body that ends too soon");
        let half = unpack("gzip", &[&packed[..packed.len() / 2]], 1000).unwrap_err();
        assert!(
            half.starts_with("expected a whole gzip stream, found"),
            "{half}"
        );
        let other = unpack("gzip", &[b"{\"status\":\"success\"}"], 1000).unwrap_err();
        assert!(
            other.starts_with("expected a whole gzip stream, found"),
            "{other}"
        );
        let zstd = unpack("zstd", &[], 1000).unwrap_err();
        assert_eq!(zstd, "expected gzip or no content encoding, found zstd");
    }
}
