//! Files of safetensors: named arrays.

use safetensors::Dtype;

use super::arrays::Array;
use super::bytes::Bytes;
use super::kind::Kind;
use crate::files::TensorsHeader;

/// Most bytes of a header, as the format limits it.
const MOST_HEADER: u64 = 100_000_000;

/// Whether a file begins like these: the length of the header, then the header, which is JSON.
pub(super) fn is_one(start: &[u8]) -> bool {
    let Some(length) = start.first_chunk::<8>() else {
        return false;
    };
    u64::from_le_bytes(*length) < 1 << 32 && start.get(8) == Some(&b'{')
}

/// Finds all arrays. The text of an error is a reason that fits after the file's name.
pub(super) fn find(bytes: &Bytes) -> Result<Vec<Array>, String> {
    let wrong = |reason| format!("it is no sound file of safetensors (it {reason}); get it again");
    let head = bytes.start(8)?;
    let length = head
        .first_chunk::<8>()
        .map(|&length| u64::from_le_bytes(length));
    let data = length.and_then(|length| length.checked_add(8));
    let Some(data) = data.filter(|&data| data <= bytes.length().min(MOST_HEADER)) else {
        return Err(wrong("ends before the end of its header".to_owned()));
    };
    let header = bytes.part(8, data - 8)?;
    let header = TensorsHeader::parse(&header, bytes.length() - data).map_err(wrong)?;
    let mut arrays = Vec::new();
    for (name, info) in header.infos() {
        let (first, end) = info.data_offsets;
        let array = Array {
            kind: kind(info.dtype).map_err(|reason| format!("its array {name}: {reason}"))?,
            shape: info.shape.clone(),
            big: false,
            columns_first: false,
            bytes: bytes.clone(),
            at: data + first as u64,
            name,
        };
        array.check(end.saturating_sub(first) as u64)?;
        arrays.push(array);
    }
    arrays.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(arrays)
}

fn kind(kind: Dtype) -> Result<Kind, String> {
    Ok(match kind {
        Dtype::BF16 => Kind::BFloat16,
        Dtype::BOOL => Kind::Bool,
        Dtype::U8 => Kind::Unsigned(1),
        Dtype::U16 => Kind::Unsigned(2),
        Dtype::U32 => Kind::Unsigned(4),
        Dtype::U64 => Kind::Unsigned(8),
        Dtype::I8 => Kind::Signed(1),
        Dtype::I16 => Kind::Signed(2),
        Dtype::I32 => Kind::Signed(4),
        Dtype::I64 => Kind::Signed(8),
        Dtype::F16 => Kind::Real(2),
        Dtype::F32 => Kind::Real(4),
        Dtype::F64 => Kind::Real(8),
        other => {
            return Err(format!(
                "its numbers are of the kind {other:?}, which is not read"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::super::npy::tests::numbers;
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Array>, String> {
        find(&Bytes::memory(bytes.to_vec()))
    }

    #[test]
    fn numbers_of_every_kind_are_read() {
        let f16 = [0u8, 0x3c, 0, 0xc0];
        let bf16 = [0x80u8, 0x3f, 0, 0xc0];
        let f64: Vec<u8> = [1.0f64, -2.0]
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let i32: Vec<u8> = [1i32, -2].iter().flat_map(|x| x.to_le_bytes()).collect();
        let kinds: [(Dtype, &[u8]); 4] = [
            (Dtype::F16, &f16),
            (Dtype::BF16, &bf16),
            (Dtype::F64, &f64),
            (Dtype::I32, &i32),
        ];
        for (kind, data) in kinds {
            let view = TensorView::new(kind, vec![1, 2], data).unwrap();
            let bytes = safetensors::serialize([("x", view)], None).unwrap();
            assert!(is_one(&bytes));
            let mut arrays = read(&bytes).unwrap();
            assert_eq!(arrays[0].shape, [1, 2]);
            assert_eq!(numbers(arrays.remove(0)), [1.0, -2.0], "{kind:?}");
            assert!(read(&bytes[..bytes.len() - 1]).is_err());
        }
    }

    /// Offsets whose sum with the header's length wraps around to the length of the file.
    #[test]
    fn offsets_that_overflow_are_an_error() {
        for missing in 0..200u64 {
            let end = u64::MAX - missing;
            let header =
                format!(r#"{{"x":{{"dtype":"U8","shape":[{end}],"data_offsets":[0,{end}]}}}}"#);
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend(header.as_bytes());
            let message = read(&bytes).err().unwrap();
            assert!(message.contains("no sound file"), "{message}");
        }
    }
}
