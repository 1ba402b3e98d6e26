//! IDX, the format of MNIST and of the sets made to replace it: two zero bytes, the type of the values (8: bytes), the
//! number of dimensions, each dimension as a big-endian `u32`, then the values. Files are read gzipped or plain; the
//! first bytes tell which. Only gzip has a checksum: in a plain file, damage to the values themselves goes unnoticed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::entry::Entry;
use crate::data::shape::ImageShape;
use crate::data::sources::{Halves, Split};
use crate::engine::host_memory;
use crate::error::{Error, Misfit, Result};
use crate::files::GZIP;

/// Memory for an array is allocated ahead of reading it, but no more than this: a damaged header may ask for anything.
const MOST_AHEAD: u64 = 64 << 20;

/// Reads the four files of a set in `folder`.
pub(in crate::data) fn load(set: &Entry, folder: &Path) -> Result<Halves> {
    let [images, labels, test_images, test_labels] = set.files else {
        return Err(Error::Shape(Misfit::Samples {
            what: format!("the data set {}", set.name),
            why: "it has no four IDX files".to_owned(),
        }));
    };
    let open = |index: usize, name| {
        let path = set.file(folder, name)?;
        let file = File::open(&path).map_err(Error::io("read", &path))?;
        Ok(Source {
            set,
            index,
            content: BufReader::with_capacity(1 << 16, file),
            path,
        })
    };
    // All four are located before the first is read.
    let (images, labels) = (open(0, images)?, open(1, labels)?);
    let (test_images, test_labels) = (open(2, test_images)?, open(3, test_labels)?);
    let test_path = test_images.path.clone();
    let mut unknown = Vec::new();
    let (shape, train) = half(images, labels, &mut unknown)?;
    let (test_shape, test) = half(test_images, test_labels, &mut unknown)?;
    if test_shape != shape {
        return Err(set.damaged(
            &test_path,
            format!(
                "its images have {} × {} pixels, the training images {} × {}: the files are not of one set",
                test_shape.height, test_shape.width, shape.height, shape.width
            ),
        ));
    }
    let note = |files: &[String]| {
        format!(
            "not the published contents of {}: {}; they are taken as they are",
            set.name,
            files.join(", ")
        )
    };
    Ok(Halves {
        shape,
        train,
        test,
        notes: (!unknown.is_empty())
            .then(|| note(&unknown))
            .into_iter()
            .collect(),
    })
}

/// A file to be read, or one embedded in the program.
pub(in crate::data) struct Source<'a, R> {
    pub set: &'a Entry,
    /// Number of the file in the set's list.
    pub index: usize,
    pub path: PathBuf,
    pub content: R,
}

/// Reads images and their labels, and checks that they belong together. Adds the names of files whose contents match no
/// published file to `unknown`.
pub(in crate::data) fn half<R: BufRead>(
    mut images: Source<R>,
    mut labels: Source<R>,
    unknown: &mut Vec<String>,
) -> Result<(ImageShape, Split)> {
    let ([count, height, width], pixels) = images.read::<3>(unknown)?;
    let ([label_count], classes) = labels.read::<1>(unknown)?;
    if label_count != count {
        return Err(labels.damaged(format!(
            "it holds {label_count} labels for the {count} images of {}",
            images.path.display()
        )));
    }
    if let Some(image) = classes
        .iter()
        .position(|&class| usize::from(class) >= labels.set.classes())
    {
        return Err(labels.damaged(format!(
            "label {} of image {image} (counted from 0) is not below {}, the number of classes",
            classes[image],
            labels.set.classes()
        )));
    }
    let shape = ImageShape {
        channels: 1,
        height,
        width,
    };
    let classes = classes.into_iter().map(u32::from).collect();
    Ok((shape, Split::new(shape.features(), pixels, classes)?))
}

impl<R: BufRead> Source<'_, R> {
    fn damaged(&self, what: String) -> Error {
        self.set.damaged(&self.path, what)
    }

    /// The dimensions and the bytes of an array of `N` dimensions.
    fn read<const N: usize>(&mut self, unknown: &mut Vec<String>) -> Result<([usize; N], Vec<u8>)> {
        let start = self
            .content
            .fill_buf()
            .map_err(Error::io("read", &self.path))?;
        // A header may claim anything, and gzip packs zeros a thousandfold.
        let room = host_memory::available().unwrap_or(u64::MAX - 1);
        let read = if start.starts_with(&GZIP) {
            array(&mut MultiGzDecoder::new(&mut self.content), room)
        } else {
            array(&mut self.content, room)
        };
        let (dimensions, values) = read.map_err(|fault| match fault {
            Fault::Content(what) => self.damaged(what),
            Fault::Io(source) => Error::io("read", &self.path)(source),
        })?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&magic(N));
        for dimension in dimensions {
            crc.update(&(dimension as u32).to_be_bytes());
        }
        crc.update(&values);
        let crc = crc.finalize();
        if !self.set.is_published(self.index, crc) {
            if let Some(error) = self.set.foreign(&self.path, crc) {
                return Err(error);
            }
            unknown.push(self.path.display().to_string());
        }
        Ok((dimensions, values))
    }
}

/// Why an array cannot be read.
enum Fault {
    Content(String),
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // The decompressor's error for damaged input, and any reader's for input that ends too soon.
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                Self::Content(format!("the gzip data are corrupt ({error})"))
            }
            io::ErrorKind::UnexpectedEof => Self::Content("the file is truncated".to_owned()),
            _ => Self::Io(error),
        }
    }
}

/// The first bytes of a file with bytes in `n` dimensions.
fn magic(n: usize) -> [u8; 4] {
    [0, 0, 8, n as u8]
}

/// Reads an array of at most `room` bytes.
fn array<const N: usize>(
    reader: &mut impl Read,
    room: u64,
) -> Result<([usize; N], Vec<u8>), Fault> {
    let mut start = [0; 4];
    reader.read_exact(&mut start)?;
    let expected = magic(N);
    if start != expected {
        return Err(Fault::Content(format!(
            "it starts with {start:02x?}, not {expected:02x?}: this is no IDX file of bytes in {N} dimensions"
        )));
    }
    let mut dimensions = [0; N];
    for dimension in &mut dimensions {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes)?;
        *dimension = u32::from_be_bytes(bytes) as usize;
    }
    let size = dimensions
        .iter()
        .try_fold(1u64, |size, &d| size.checked_mul(d as u64));
    let size = size
        .filter(|&size| size > 0 && size < isize::MAX as u64)
        .ok_or_else(|| {
            Fault::Content(format!(
                "its header tells of {dimensions:?} values, which cannot be"
            ))
        })?;

    // One byte more than there should be: to detect a file that is too long, and to reach gzip's checksum after the
    // last byte.
    let mut values = Vec::with_capacity(size.min(MOST_AHEAD) as usize + 1);
    reader.take(size.min(room) + 1).read_to_end(&mut values)?;
    match values.len() as u64 {
        length if length > room => Err(Fault::Content(format!(
            "its header tells of {size} bytes, more than this machine's memory holds"
        ))),
        length if length == size => Ok((dimensions, values)),
        length if length < size => Err(Fault::Content(format!(
            "the file is truncated: it holds {length} of the {size} bytes that its header tells of"
        ))),
        _ => Err(Fault::Content(format!(
            "it goes on after the {size} bytes that its header tells of"
        ))),
    }
}

/// Maximum size of the fuzzer's arrays.
const FUZZ_ROOM: u64 = 1 << 24;

/// For the fuzzer: images, labels, and both gzipped.
pub(crate) fn fuzz(mut bytes: &[u8]) {
    if bytes.starts_with(&GZIP) {
        let _ = array::<3>(&mut MultiGzDecoder::new(bytes), FUZZ_ROOM);
        let _ = array::<1>(&mut MultiGzDecoder::new(bytes), FUZZ_ROOM);
        return;
    }
    let _ = array::<1>(&mut &*bytes, FUZZ_ROOM);
    if let Ok((sizes, values)) = array::<3>(&mut bytes, FUZZ_ROOM) {
        assert!(sizes.iter().product::<usize>() == values.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_larger_than_the_memory_is_refused_when_that_is_full() {
        let header = |size: u32| [&magic(1)[..], &size.to_be_bytes()].concat();
        let read = |size: u32| {
            let mut reader =
                io::Cursor::new(header(size)).chain(io::repeat(0).take(u64::from(size)));
            array::<1>(&mut reader, 1000)
        };
        assert_eq!(read(1000).ok().unwrap().1.len(), 1000);
        let Err(Fault::Content(what)) = read(u32::MAX) else {
            panic!("it is taken");
        };
        assert!(
            what.contains("tells of 4294967295 bytes, more than"),
            "{what}"
        );
    }
}
