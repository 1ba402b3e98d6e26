//! Files of safetensors: named arrays.

use safetensors::Dtype;

use super::arrays::{Array, Values, room};
use super::npy::Kind;
use crate::files::TensorsFile;

/// Whether a file begins like these: the length of the header, then the header, which is JSON.
pub(super) fn is_one(start: &[u8]) -> bool {
    let Some(length) = start.first_chunk::<8>() else {
        return false;
    };
    u64::from_le_bytes(*length) < 1 << 32 && start.get(8) == Some(&b'{')
}

/// Reads all arrays. The text of an error is a reason that fits after the file's name.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Array>, String> {
    let file = TensorsFile::open(bytes).map_err(|reason| {
        format!("it is no sound file of safetensors (it {reason}); get it again")
    })?;
    let mut arrays = Vec::new();
    for (name, shape) in file.shapes() {
        room(&shape)?;
        let (info, data) = file
            .tensor(&name)
            .map_err(|reason| format!("it {reason}"))?;
        arrays.push(Array {
            values: values(info.dtype, data)
                .map_err(|reason| format!("its array {name}: {reason}"))?,
            shape,
            name,
        });
    }
    arrays.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(arrays)
}

fn values(kind: Dtype, data: &[u8]) -> Result<Values, String> {
    let kind = match kind {
        Dtype::BF16 => {
            let each = data
                .chunks_exact(2)
                .map(|b| u16::from_le_bytes([b[0], b[1]]));
            let numbers = each.map(|bits| half::bf16::from_bits(bits).to_f32());
            return Ok(Values::Numbers(numbers.collect()));
        }
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
    };
    kind.values(data, false)
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

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
            let arrays = read(&bytes).unwrap();
            assert_eq!(
                arrays[0].values,
                Values::Numbers(vec![1.0, -2.0]),
                "{kind:?}"
            );
            assert_eq!(arrays[0].shape, [1, 2]);
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
