//! `model.safetensors`: the layers' connections and dense parameters as tensors and back.

use super::manifest::LayerShape;
use super::parameters::{self, Shapes};
use super::{
    Checked, LayerState, NetworkState, NormKind, NormShape, OptimiserShape, PastConnections,
    optimiser, past, rules,
};
use safetensors::tensor::{Dtype, Metadata, View};
use std::borrow::Cow;
use std::collections::BTreeSet;

const PAST_ROWS: &str = "past_crow_indices";
const PAST_COLS: &str = "past_col_indices";

/// A tensor of one dimension on its way to the file.
pub(super) enum Column<'a> {
    Index(&'a [u32], [usize; 1]),
    Count(&'a [u32], [usize; 1]),
    Real(&'a [f32], [usize; 1]),
}

impl<'a> Column<'a> {
    fn index(data: &'a [u32]) -> Self {
        Self::Index(data, [data.len()])
    }

    pub fn count(data: &'a [u32]) -> Self {
        Self::Count(data, [data.len()])
    }

    pub fn real(data: &'a [f32]) -> Self {
        Self::Real(data, [data.len()])
    }
}

impl View for Column<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            // Checked to be below 2^31, where signed and unsigned have the same bits.
            Self::Index(..) => Dtype::I32,
            Self::Count(..) => Dtype::U32,
            Self::Real(..) => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Index(_, shape) | Self::Count(_, shape) | Self::Real(_, shape) => shape,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        if cfg!(target_endian = "little") {
            return Cow::Borrowed(match self {
                Self::Index(data, _) | Self::Count(data, _) => bytemuck::cast_slice(data),
                Self::Real(data, _) => bytemuck::cast_slice(data),
            });
        }
        Cow::Owned(match self {
            Self::Index(data, _) | Self::Count(data, _) => {
                data.iter().flat_map(|x| x.to_le_bytes()).collect()
            }
            Self::Real(data, _) => data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        })
    }

    fn data_len(&self) -> usize {
        4 * self.shape()[0]
    }
}

/// The file's bytes. The layers have passed [`rules::layer`] and [`parameters::check`], and `past` [`past::check`] unless empty.
pub(super) fn encode(state: &NetworkState, past: &[PastConnections]) -> Checked<Vec<u8>> {
    let mut columns = Vec::new();
    for (l, layer) in state.layers.iter().enumerate() {
        let mut add = |name, column| columns.push((format!("layers.{l}.{name}"), column));
        add("crow_indices", Column::index(&layer.crow_indices));
        add("col_indices", Column::index(&layer.col_indices));
        add("values", Column::real(&layer.values));
        add("bias", Column::real(&layer.bias));
        for (prefix, state) in [("", &layer.state), ("bias_", &layer.bias_state)] {
            let own = optimiser::columns(prefix, state);
            columns.extend(own.map(|(name, column)| (format!("layers.{l}.{name}"), column)));
        }
    }
    for (l, past) in past.iter().enumerate() {
        let mut add =
            |name, data| columns.push((format!("layers.{l}.{name}"), Column::index(data)));
        add(PAST_ROWS, &past.crow_indices);
        add(PAST_COLS, &past.col_indices);
    }
    let (norms, parameters) = Shapes::of(&state.parameters);
    let shapes = Shapes::from_manifest(&norms, &parameters);
    columns.extend(shapes.columns(&state.parameters));
    for (l, dense) in state.dense_weights.iter().enumerate() {
        columns.push((format!("reserve.{l}"), Column::real(dense)));
    }
    let mut names = BTreeSet::new();
    if let Some((name, _)) = columns.iter().find(|(name, _)| !names.insert(name)) {
        return Err(format!(
            "two of its arrays would be the tensor `{name}`: rename one"
        ));
    }
    safetensors::serialize(columns, None).map_err(|e| e.to_string())
}

/// Reads the file's bytes back; the layers must have the given sizes. An error's text is a reason that fits behind
/// "model.safetensors".
pub(super) fn decode(
    bytes: &[u8],
    shapes: &[LayerShape],
    dense: &Shapes,
    optimiser: &OptimiserShape,
) -> Checked<(NetworkState, Vec<PastConnections>)> {
    let file = File::open(bytes)?;
    let tensors = file.header.tensors().len();
    let reserved = match file.header.info("reserve.0") {
        Some(_) => shapes,
        None => &[],
    };
    // Older checkpoints, and runs that do not follow what is explored, have none.
    let has_past = file.header.info(&format!("layers.0.{PAST_ROWS}")).is_some();
    let states = optimiser.arrays.len();
    let of_layer = if has_past { 6 } else { 4 } + 2 * states;
    let needed = of_layer * shapes.len() + dense.tensors(states) + reserved.len();
    if tensors != needed {
        return Err(format!(
            "has {tensors} tensors where {} layers and {} with dense parameters need {needed}",
            shapes.len(),
            dense.layers.len()
        ));
    }
    let mut layers = Vec::with_capacity(shapes.len());
    for (l, shape) in shapes.iter().enumerate() {
        let name = |name| format!("layers.{l}.{name}");
        let index = |n, len| file.column(&name(n), Dtype::I32, len, u32::from_le_bytes);
        let real = |n, len| file.reals(&name(n), len);
        let state = |n, len| optimiser.read(&file, &name(n), len);
        let layer = LayerState {
            n_in: shape.n_in,
            n_out: shape.n_out,
            crow_indices: index("crow_indices", shape.n_out + 1)?,
            col_indices: index("col_indices", shape.active)?,
            values: real("values", shape.active)?,
            state: state("", shape.active)?,
            bias: real("bias", shape.n_out)?,
            bias_state: state("bias_", shape.n_out)?,
        };
        rules::layer(l, &layer)?;
        layers.push(layer);
    }
    let mut past = Vec::new();
    for (l, shape) in shapes.iter().enumerate().filter(|_| has_past) {
        let index = |name: &str, len: Option<usize>| {
            let name = format!("layers.{l}.{name}");
            let len = len.unwrap_or_else(|| file.length(&name));
            file.column(&name, Dtype::I32, len, u32::from_le_bytes)
        };
        past.push(PastConnections {
            crow_indices: index(PAST_ROWS, Some(shape.n_out + 1))?,
            // The manifest does not say how many there are; the file's checksum does that they are all there.
            col_indices: index(PAST_COLS, None)?,
        });
    }
    if has_past {
        past::check(&layers, &past)?;
    }
    let state = NetworkState {
        optimiser: optimiser.name.clone(),
        parameters: dense.read(&file, optimiser)?,
        dense_weights: (reserved.iter().enumerate())
            .map(|(l, shape)| {
                let pairs = shape.n_in * shape.n_out;
                let name = format!("reserve.{l}");
                file.reals(&name, pairs)
            })
            .collect::<Checked<_>>()?,
        layers,
    };
    Ok((state, past))
}

/// The file in two parts. Not through `SafeTensors::deserialize`, whose sum of offsets overflows on a crafted header.
pub(super) struct File<'a> {
    header: Metadata,
    data: &'a [u8],
}

impl<'a> File<'a> {
    /// The layout: the header's length as eight bytes, little endian; the header, JSON; the tensors.
    pub fn open(bytes: &'a [u8]) -> Checked<Self> {
        let (length, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or("is too short to be a safetensors file")?;
        let length = u64::from_le_bytes(*length);
        let (header, data) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| format!("declares a header of {length} bytes and is shorter"))?;
        let header: Metadata =
            serde_json::from_slice(header).map_err(|e| format!("has an unreadable header: {e}"))?;
        if header.data_len() != data.len() {
            return Err(format!(
                "declares {} bytes of tensors and has {}",
                header.data_len(),
                data.len()
            ));
        }
        Ok(Self { header, data })
    }

    /// Elements of the tensor `name` of one dimension; 0 where there is none.
    fn length(&self, name: &str) -> usize {
        match self.header.info(name).map(|info| &info.shape[..]) {
            Some(&[length]) => length,
            _ => 0,
        }
    }

    /// The tensor `name` of `len` real numbers.
    pub fn reals(&self, name: &str, len: usize) -> Checked<Vec<f32>> {
        self.column(name, Dtype::F32, len, f32::from_le_bytes)
    }

    /// The tensor `name` of `len` counts.
    pub fn counts(&self, name: &str, len: usize) -> Checked<Vec<u32>> {
        self.column(name, Dtype::U32, len, u32::from_le_bytes)
    }

    /// The tensor `name` of `len` elements.
    fn column<T>(
        &self,
        name: &str,
        dtype: Dtype,
        len: usize,
        read: fn([u8; 4]) -> T,
    ) -> Checked<Vec<T>> {
        let info = self
            .header
            .info(name)
            .ok_or_else(|| format!("has no tensor `{name}`"))?;
        if info.dtype != dtype || info.shape != [len] {
            return Err(format!(
                "has `{name}` as {:?} {:?}, expected {dtype:?} [{len}]",
                info.dtype, info.shape
            ));
        }
        let (start, end) = info.data_offsets;
        let bytes = self
            .data
            .get(start..end)
            .ok_or_else(|| format!("ends before the end of `{name}`"))?;
        Ok(bytes.as_chunks().0.iter().map(|&b| read(b)).collect())
    }
}

/// For the fuzzer: the file of a network of one layer and one norm.
pub(crate) fn fuzz(bytes: &[u8]) {
    let layer = LayerShape {
        n_in: 4,
        n_out: 3,
        active: 4,
    };
    let norm = [NormShape {
        kind: NormKind::Batch,
        channels: 2,
    }];
    let norm = Shapes::from_manifest(&norm, &[]);
    let sgd = OptimiserShape::default();
    if let Ok((state, past)) = decode(bytes, &[layer], &norm, &sgd) {
        assert!(rules::layer(0, &state.layers[0]).is_ok());
        assert!(parameters::check(0, &state.parameters[0]).is_ok());
        assert!(past.is_empty() || past::check(&state.layers, &past).is_ok());
        let again = encode(&state, &past).and_then(|bytes| decode(&bytes, &[layer], &norm, &sgd));
        assert_eq!(
            format!("{again:?}"),
            format!("{:?}", Ok::<_, String>((state, past)))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::ParameterState;
    use crate::optim::{Numbers, OptimiserState};
    use proptest::prelude::*;

    fn momentum(values: Vec<f32>) -> OptimiserState {
        OptimiserState::of([("momentum".to_owned(), Numbers::F32(values))])
    }

    fn read(bytes: &[u8], shapes: &[LayerShape], norms: &Shapes) -> Checked<NetworkState> {
        decode(bytes, shapes, norms, &OptimiserShape::default()).map(|(state, _)| state)
    }

    fn example() -> LayerState {
        LayerState {
            n_in: 4,
            n_out: 3,
            crow_indices: vec![0, 2, 2, 4],
            col_indices: vec![0, 3, 1, 2],
            values: vec![1.0, f32::NAN, -0.0, f32::INFINITY],
            state: momentum(vec![0.5; 4]),
            bias: vec![1.0; 3],
            bias_state: momentum(vec![2.0; 3]),
        }
    }

    const NORM: NormShape = NormShape {
        kind: NormKind::Batch,
        channels: 2,
    };

    fn norms() -> Shapes {
        Shapes::from_manifest(&[NORM], &[])
    }

    fn norm() -> ParameterState {
        let (kind, parameters) = NORM.declared();
        let mut norm = ParameterState::new(kind, &parameters);
        for array in norm.arrays.iter_mut().filter(|array| array.trained) {
            array.state = momentum(vec![1.0; 2]);
        }
        norm
    }

    fn state(layers: usize) -> NetworkState {
        NetworkState {
            layers: vec![example(); layers],
            optimiser: Some("sgd".to_owned()),
            parameters: vec![norm()],
            dense_weights: Vec::new(),
        }
    }

    /// A file of the given header over `data` bytes of zeros.
    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    }

    #[test]
    fn crafted_headers_are_refused() {
        let shapes = [LayerShape::of(&example())];
        let norms = norms();
        let refuse = |bytes: &[u8]| read(bytes, &shapes, &norms).unwrap_err();
        refuse(&[]);
        refuse(&[255; 8]);
        refuse(&[255; 64]);
        refuse(&file("", 0));
        refuse(&file("{}", 0));
        refuse(&file("{}", 8));
        refuse(&file(&"[".repeat(100_000), 0));
        // Offsets that sum up to the whole address space.
        let huge: Vec<String> = (0..8u64)
            .map(|i| {
                let (start, length) = (i * ((1 << 61) - 1), (1u64 << 61) - 1);
                let end = start + length;
                format!("\"t{i}\":{{\"dtype\":\"U8\",\"shape\":[{length}],\"data_offsets\":[{start},{end}]}}")
            })
            .collect();
        let error = refuse(&file(&format!("{{{}}}", huge.join(",")), 16));
        assert!(error.contains("bytes of tensors"), "{error}");
        // The right tensors under another type, and one too many.
        let good = encode(&state(1), &[]).unwrap();
        let edit = |from: &str, to: &str| {
            let mut text = good.clone();
            let at = text.windows(from.len()).position(|w| w == from.as_bytes());
            let at = at.unwrap();
            text[at..at + from.len()].copy_from_slice(to.as_bytes());
            refuse(&text)
        };
        assert!(edit("F32", "I32").contains("expected F32"));
        assert!(edit("I32", "U32").contains("expected I32"));
        assert!(edit("layers.0.bias\"", "layers.1.bias\"").contains("no tensor"));
        let two = encode(&state(2), &[]).unwrap();
        assert!(refuse(&two).contains("18 tensors"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>(), header in any::<String>(), data in 0usize..64) {
            let shapes = [LayerShape::of(&example())];
            prop_assert!(read(&bytes, &shapes, &Shapes::from_manifest(&[], &[])).is_err());
            prop_assert!(read(&file(&header, data), &shapes, &Shapes::from_manifest(&[], &[])).is_err());
        }

        /// Without the checksum: a file changed at random decodes to a valid layer or is refused.
        #[test]
        fn changed_files_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
            let mut bytes = encode(&state(1), &[]).unwrap();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            let norms = norms();
            if let Ok(state) = read(&bytes, &[LayerShape::of(&example())], &norms) {
                prop_assert!(rules::layer(0, &state.layers[0]).is_ok());
                prop_assert!(parameters::check(0, &state.parameters[0]).is_ok());
            }
        }
    }
}
