//! `model.safetensors`: the layers' connections and dense parameters as tensors and back.

use super::checked::Checked;
use super::columns::Column;
use super::layer_shape::LayerShape;
use super::optimiser::{self, OptimiserShape};
use super::parameters::{self, NormKind, NormShape, Shapes};
use super::past::{self, PastConnections};
use super::rules;
use crate::data::ImageHashes;
use crate::files::TensorsFile;
use crate::network::NetworkState;
use crate::sparse::LayerState;
use std::collections::BTreeSet;

const PAST_ROWS: &str = "past_crow_indices";

const PAST_COLS: &str = "past_col_indices";

/// The images that were trained on, identified by their pixels.
const LEARNED: &str = "data.learned_pixels";

/// The same in the form of older versions.
const LEARNED_OLDER: &str = "data.learned_images";

/// The contents of the file.
#[derive(Debug)]
pub(super) struct Tensors {
    pub state: NetworkState,
    pub past: Vec<PastConnections>,
    pub learned_images: ImageHashes,
}

/// The file's bytes. The layers must have passed [`rules::layer`] and [`parameters::check`], `past` must have passed
/// [`past::check`] unless it is empty, and `learned_images` [`rules::learned_images`].
pub(super) fn encode(
    state: &NetworkState,
    past: &[PastConnections],
    learned_images: &ImageHashes,
) -> Checked<Vec<u8>> {
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
    let ImageHashes { pixels, older } = learned_images;
    for (name, hashes) in [(LEARNED, pixels), (LEARNED_OLDER, older)] {
        if !hashes.is_empty() {
            columns.push((name.to_owned(), Column::hash(hashes)));
        }
    }
    let mut names = BTreeSet::new();
    if let Some((name, _)) = columns.iter().find(|(name, _)| !names.insert(name)) {
        return Err(format!(
            "two of its arrays would be the tensor `{name}`: rename one"
        ));
    }
    safetensors::serialize(columns, None).map_err(|e| e.to_string())
}

/// Reads the file's bytes back; the layers must have the given sizes. An error's text is a reason that can follow
/// "model.safetensors".
pub(super) fn decode(
    bytes: &[u8],
    shapes: &[LayerShape],
    dense: &Shapes,
    optimiser: &OptimiserShape,
) -> Checked<Tensors> {
    let file = TensorsFile::open(bytes)?;
    let tensors = file.tensors();
    let reserved = match file.has("reserve.0") {
        true => shapes,
        false => &[],
    };
    // Older checkpoints have none, and neither have runs that do not track what is explored.
    let has_past = file.has(&format!("layers.0.{PAST_ROWS}"));
    let hashes = |name| match file.has(name) {
        true => file.hashes(name),
        false => Ok(Vec::new()),
    };
    let learned_images = ImageHashes {
        pixels: hashes(LEARNED)?,
        older: hashes(LEARNED_OLDER)?,
    };
    rules::learned_images(&learned_images)?;
    let states = optimiser.arrays.len();
    let of_layer = if has_past { 6 } else { 4 } + 2 * states;
    let needed = of_layer * shapes.len() + dense.tensors(states) + reserved.len();
    let of_images = [LEARNED, LEARNED_OLDER].map(|name| usize::from(file.has(name)));
    let needed = needed + of_images.iter().sum::<usize>();
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
        let index = |n, len| file.indices(&name(n), len);
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
            file.indices(&name, len)
        };
        past.push(PastConnections {
            crow_indices: index(PAST_ROWS, Some(shape.n_out + 1))?,
            // The manifest does not give their number; the file's checksum ensures that they are complete.
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
    Ok(Tensors {
        state,
        past,
        learned_images,
    })
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
    if let Ok(read) = decode(bytes, &[layer], &norm, &sgd) {
        let Tensors {
            state,
            past,
            learned_images,
        } = &read;
        assert!(rules::layer(0, &state.layers[0]).is_ok());
        assert!(parameters::check(0, &state.parameters[0]).is_ok());
        assert!(past.is_empty() || past::check(&state.layers, past).is_ok());
        let again = encode(state, past, learned_images)
            .and_then(|bytes| decode(&bytes, &[layer], &norm, &sgd));
        assert_eq!(format!("{again:?}"), format!("{:?}", Ok::<_, String>(read)));
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
        decode(bytes, shapes, norms, &OptimiserShape::default()).map(|read| read.state)
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

    /// A file with the given header over `data` zero bytes.
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
        // Offsets that add up to the whole address space.
        let huge: Vec<String> = (0..8u64)
            .map(|i| {
                let (start, length) = (i * ((1 << 61) - 1), (1u64 << 61) - 1);
                let end = start + length;
                format!("\"t{i}\":{{\"dtype\":\"U8\",\"shape\":[{length}],\"data_offsets\":[{start},{end}]}}")
            })
            .collect();
        let error = refuse(&file(&format!("{{{}}}", huge.join(",")), 16));
        assert!(error.contains("bytes of tensors"), "{error}");
        // The right tensors with another type, and one too many.
        let good = encode(&state(1), &[], &ImageHashes::default()).unwrap();
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
        // Hashes of images that do not rise.
        let images = ImageHashes {
            pixels: vec![3, 7],
            older: vec![5, 9],
        };
        let learned = encode(&state(1), &[], &images).unwrap();
        let read = decode(&learned, &shapes, &norms, &OptimiserShape::default());
        assert_eq!(read.unwrap().learned_images, images);
        for second in [7u64, 9] {
            let mut disordered = learned.clone();
            let at = disordered
                .windows(8)
                .position(|w| w == second.to_le_bytes());
            disordered[at.unwrap()] = 3;
            assert!(refuse(&disordered).contains("do not rise"));
        }
        let two = encode(&state(2), &[], &ImageHashes::default()).unwrap();
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
        fn changed_files_never_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
        ) {
            let mut bytes = encode(&state(1), &[], &ImageHashes::default()).unwrap();
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
