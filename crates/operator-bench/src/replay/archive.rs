//! Packed archives of plain files: as much of the format as recordings need.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;

const BLOCK: usize = 512;
/// More than this no recording unpacks to.
const MOST_BYTES: u64 = 4 << 30;

/// Hands every plain file of a `.tar.gz` to `each`: its path, and its bytes.
///
/// # Errors
/// When the archive cannot be read, is cut short, or is too large.
pub(crate) fn read(
    archive: &Path,
    mut each: impl FnMut(&Path, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut tar = GzDecoder::new(File::open(archive)?).take(MOST_BYTES);
    let mut header = [0; BLOCK];
    loop {
        match tar.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        if header[0] == 0 {
            return Ok(());
        }
        let size = number(&header[124..136])?;
        let path = PathBuf::from(text(&header[..100]).into_owned());
        let mut body = (&mut tar).take(size);
        if matches!(header[156], b'0' | 0) {
            each(&path, &mut body)?;
        }
        let left = body.limit();
        skip(
            &mut tar,
            left + (size.next_multiple_of(BLOCK as u64) - size),
        )?;
    }
}

/// Unpacks a `.tar.gz` into a folder; a path that leads out of it is refused.
///
/// # Errors
/// When the archive cannot be read or the files cannot be written.
pub fn unpack(archive: &Path, into: &Path) -> io::Result<()> {
    read(archive, |path, body| {
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !path.components().all(inside) {
            return Err(broken(&format!("{} leads out of it", path.display())));
        }
        let path = into.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        io::copy(body, &mut file)?;
        file.flush()
    })
}

fn text(field: &[u8]) -> std::borrow::Cow<'_, str> {
    let end = field.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&field[..end.unwrap_or(field.len())])
}

fn number(field: &[u8]) -> io::Result<u64> {
    u64::from_str_radix(text(field).trim(), 8).map_err(|_| broken("a size is no number"))
}

fn skip(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    match io::copy(&mut from.take(bytes), &mut io::sink())? {
        skipped if skipped == bytes => Ok(()),
        _ => Err(broken("it is cut short")),
    }
}

fn broken(how: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, how.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(name: &str, size: &str, body: &[u8]) -> PathBuf {
        let mut header = [0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..124 + size.len()].copy_from_slice(size.as_bytes());
        header[156] = b'0';
        let mut tar = header.to_vec();
        tar.extend(body);
        tar.resize(tar.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
        let unique = format!("operator-archive-{}-{}", std::process::id(), name.len());
        let path = std::env::temp_dir().join(unique);
        let mut gzip = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        gzip.write_all(&tar).unwrap();
        gzip.finish().unwrap();
        path
    }

    #[test]
    fn files_come_out_as_they_went_in_and_a_path_that_leads_out_is_refused() {
        let archive = packed("a/b", "00000000003", b"abc");
        let mut found = Vec::new();
        read(&archive, |path, body| {
            let mut text = String::new();
            body.read_to_string(&mut text)?;
            found.push((path.to_owned(), text));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [(PathBuf::from("a/b"), "abc".to_owned())]);
        fs::remove_file(archive).unwrap();

        let out = packed("../escape", "00000000003", b"abc");
        let refused = unpack(&out, &std::env::temp_dir()).unwrap_err();
        assert_eq!(refused.to_string(), "../escape leads out of it");
        fs::remove_file(out).unwrap();
    }

    #[test]
    fn what_is_cut_short_or_no_archive_is_an_error() {
        let cut = packed("long", "00000100000", b"abc");
        assert!(unpack(&cut, &std::env::temp_dir()).is_err());
        fs::remove_file(cut).unwrap();
        let odd = packed("odd__", "what", b"abc");
        assert!(read(&odd, |_, _| Ok(())).is_err());
        fs::remove_file(odd).unwrap();
    }
}
