//! Which tensors of a dense network's file belong to which layers.
//!
//! Names differ from program to program, so shapes and the order of names decide. A layer's weights are the first of
//! its shape that no layer before it has taken; names are in natural order, `conv2` before `conv10`. A norm after a
//! layer is found by its name: `bn1` or `norm1` for `conv1`, `1` for `0`; any other norm is the first of its size. A
//! tensor that nothing takes is an error, so that nothing is lost unnoticed.

use crate::model::Model;

/// The common beginning of the names of some tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix(String);

impl Prefix {
    /// The tensor with this last part of the name.
    pub fn of(&self, last: &str) -> String {
        match self.0.as_str() {
            "" => last.to_owned(),
            prefix => format!("{prefix}.{last}"),
        }
    }
}

/// Which tensors belong to which layers.
#[derive(Debug, PartialEq)]
pub(super) struct Matched {
    /// For each sparse layer; `None` for a last layer with other outputs.
    pub layers: Vec<Option<Prefix>>,
    /// For each layer with dense parameters.
    pub norms: Vec<Prefix>,
}

/// A tensor, and whether it has been taken.
struct Tensor {
    prefix: String,
    last: String,
    shape: Vec<usize>,
    is_taken: bool,
}

/// Finds the tensors of each layer. The text of an error is a reason that fits after the file's name.
pub(super) fn matched(shapes: &[(String, Vec<usize>)], model: &Model) -> Result<Matched, String> {
    let mut tensors: Vec<Tensor> = (shapes.iter())
        .filter(|(name, _)| !name.ends_with("num_batches_tracked"))
        .map(|(name, shape)| {
            let (prefix, last) = name.rsplit_once('.').unwrap_or(("", name));
            Tensor {
                prefix: prefix.to_owned(),
                last: last.to_owned(),
                shape: shape.clone(),
                is_taken: false,
            }
        })
        .collect();
    tensors.sort_by_cached_key(|tensor| order(&tensor.prefix));
    let sparse = model.sparse();
    let mut layers = Vec::new();
    for (number, layer) in sparse.iter().enumerate() {
        let [height, width] = layer.window.kernel;
        let channels = layer.shape.n_in / layer.window.taps();
        let expected = [layer.shape.n_out, channels, height, width];
        let mut free = tensors
            .iter_mut()
            .filter(|t| t.last == "weight" && !t.is_taken);
        let found = match free.find(|tensor| plain(&tensor.shape) == plain(&expected)) {
            Some(tensor) => tensor,
            None if number + 1 == sparse.len() => {
                let other = take_other(&mut tensors, channels * height * width);
                other.ok_or_else(|| lacks(&layer.name, &expected))?;
                layers.push(None);
                continue;
            }
            None => return Err(lacks(&layer.name, &expected)),
        };
        found.is_taken = true;
        let prefix = found.prefix.clone();
        if let Some(bias) = find(&mut tensors, &prefix, "bias") {
            if !layer.bias || bias.shape != [layer.shape.n_out] {
                return Err(format!(
                    "its layer `{prefix}` has {} biases, and {} of the model has {}",
                    bias.shape.iter().product::<usize>(),
                    layer.name,
                    if layer.bias { layer.shape.n_out } else { 0 }
                ));
            }
            bias.is_taken = true;
        }
        layers.push(Some(Prefix(prefix)));
    }
    let norms = norms(&mut tensors, model, &layers)?;
    match tensors.iter().find(|tensor| !tensor.is_taken) {
        None => Ok(Matched { layers, norms }),
        Some(left) => Err(format!(
            "nothing in the model {} takes its tensor `{}` of the shape {:?}: it is of another model",
            model.name(),
            Prefix(left.prefix.clone()).of(&left.last),
            left.shape
        )),
    }
}

/// The norms, each after its layer.
fn norms(
    tensors: &mut [Tensor],
    model: &Model,
    layers: &[Option<Prefix>],
) -> Result<Vec<Prefix>, String> {
    let sparse = model.sparse();
    let mut norms = Vec::new();
    for node in model.nodes() {
        let declared = node.layer().parameters(&model.inputs_of(node));
        let Some(first) = declared.first() else {
            continue;
        };
        let behind = sparse
            .iter()
            .position(|layer| node.inputs().first() == Some(&layer.node));
        let behind = behind.and_then(|layer| layers.get(layer)?.as_ref());
        let is_free = |tensor: &&Tensor| {
            tensor.last == "weight" && !tensor.is_taken && tensor.shape == [first.words]
        };
        let named = behind.and_then(|Prefix(prefix)| {
            let free = tensors.iter().filter(is_free);
            let names = names_behind(prefix);
            free.map(|tensor| &tensor.prefix)
                .find(|own| names.contains(own))
                .cloned()
        });
        let prefix = match named {
            Some(prefix) => prefix,
            None => (tensors
                .iter()
                .find(is_free)
                .map(|tensor| tensor.prefix.clone()))
            .ok_or_else(|| lacks(node.name(), &[first.words]))?,
        };
        for array in &declared {
            let last = name_there(array.name);
            let found = find(tensors, &prefix, last).filter(|t| t.shape == [array.words]);
            let Some(found) = found else {
                return Err(lacks(&format!("{last} of {}", node.name()), &[array.words]));
            };
            found.is_taken = true;
        }
        norms.push(Prefix(prefix));
    }
    Ok(norms)
}

/// What PyTorch calls an array of a norm.
pub(super) fn name_there(own: &str) -> &str {
    match own {
        "running_variance" => "running_var",
        other => other,
    }
}

fn lacks(name: &str, shape: &[usize]) -> String {
    format!(
        "it has no tensor for {name} of the model, of the shape {:?}: it is of another model",
        plain(shape)
    )
}

/// A shape without trailing ones, as those of a convolution of a single pixel.
fn plain(shape: &[usize]) -> &[usize] {
    let ones = shape
        .iter()
        .rev()
        .take_while(|&&length| length == 1)
        .count();
    &shape[..shape.len().saturating_sub(ones).max(2.min(shape.len()))]
}

fn find<'t>(tensors: &'t mut [Tensor], prefix: &str, last: &str) -> Option<&'t mut Tensor> {
    (tensors.iter_mut()).find(|t| t.prefix == prefix && t.last == last && !t.is_taken)
}

/// Takes the last layer's weights, which have another number of outputs, and their biases.
fn take_other(tensors: &mut [Tensor], inputs: usize) -> Option<()> {
    let takes = |tensor: &&mut Tensor| {
        let [_, rest @ ..] = tensor.shape.as_slice() else {
            return false;
        };
        tensor.last == "weight"
            && !tensor.is_taken
            && !rest.is_empty()
            && rest.iter().product::<usize>() == inputs
    };
    let last = tensors.iter_mut().filter(takes).last()?;
    last.is_taken = true;
    let prefix = last.prefix.clone();
    if let Some(bias) = find(tensors, &prefix, "bias") {
        bias.is_taken = true;
    }
    Some(())
}

/// Possible names of the norm after a layer with this name.
fn names_behind(layer: &str) -> Vec<String> {
    let (parent, last) = layer.rsplit_once('.').unwrap_or(("", layer));
    let within = |last: String| Prefix(parent.to_owned()).of(&last);
    match last.parse::<u64>() {
        Ok(number) => vec![within((number.saturating_add(1)).to_string())],
        Err(_) => ["bn", "norm"]
            .map(|norm| within(last.replacen("conv", norm, 1)))
            .into_iter()
            .chain([within(format!("{last}_norm"))])
            .collect(),
    }
}

/// A name divided into parts, with numbers as values.
fn order(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (text, tail) = rest.split_at(digits);
        let end = tail
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (number, tail) = tail.split_at(end);
        parts.push((text.to_owned(), number.parse().unwrap_or(0)));
        rest = tail;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Extent;
    use crate::model::{Block, imagenet_resnet, mlp};

    fn shapes(all: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
        all.iter()
            .map(|(name, shape)| ((*name).to_owned(), shape.to_vec()))
            .collect()
    }

    #[test]
    fn layers_of_one_size_come_in_the_order_of_their_names() {
        let model = mlp(Extent::vector(8), &[8, 8], 3).unwrap();
        let mut file = shapes(&[
            ("net.10.weight", &[8, 8]),
            ("net.10.bias", &[8]),
            ("net.2.weight", &[8, 8]),
            ("net.2.bias", &[8]),
            ("head.weight", &[3, 8]),
        ]);
        let prefix = |name: &str| Some(Prefix(name.to_owned()));
        let found = matched(&file, &model).unwrap();
        assert_eq!(
            found.layers,
            [prefix("net.2"), prefix("net.10"), prefix("head")]
        );
        // For other classes the last layer is new.
        file[4].1 = vec![5, 8];
        let found = matched(&file, &model).unwrap();
        assert_eq!(found.layers, [prefix("net.2"), prefix("net.10"), None]);
        file.push(("other.weight".to_owned(), vec![2, 2]));
        let left = matched(&file, &model).unwrap_err();
        assert!(
            left.contains("`other.weight` of the shape [2, 2]"),
            "{left}"
        );
        file.truncate(2);
        let lacks = matched(&file, &model).unwrap_err();
        assert!(lacks.contains("no tensor for"), "{lacks}");
    }

    /// As torchvision names them.
    #[test]
    fn norms_are_those_behind_their_layers() {
        let input = Extent {
            channels: 3,
            height: 32,
            width: 32,
        };
        let model =
            imagenet_resnet("resnet50", input, Block::Bottleneck, [2, 1, 1, 1], 0.25, 7).unwrap();
        let mut file = Vec::new();
        let mut conv = |conv: &str, norm: &str, shape: [usize; 4]| {
            file.push((format!("{conv}.weight"), shape.to_vec()));
            for last in ["weight", "bias", "running_mean", "running_var"] {
                file.push((format!("{norm}.{last}"), vec![shape[0]]));
            }
            file.push((format!("{norm}.num_batches_tracked"), vec![]));
        };
        conv("conv1", "bn1", [16, 3, 7, 7]);
        let mut inputs = 16;
        for (stage, blocks) in [(1, 2), (2, 1), (3, 1), (4, 1)] {
            let width = 8 << stage;
            for block in 0..blocks {
                let at = format!("layer{stage}.{block}");
                let of = |what: &str| format!("{at}.{what}");
                conv(&of("conv1"), &of("bn1"), [width, inputs, 1, 1]);
                conv(&of("conv2"), &of("bn2"), [width, width, 3, 3]);
                conv(&of("conv3"), &of("bn3"), [4 * width, width, 1, 1]);
                if block == 0 {
                    conv(
                        &of("downsample.0"),
                        &of("downsample.1"),
                        [4 * width, inputs, 1, 1],
                    );
                }
                inputs = 4 * width;
            }
        }
        file.push(("fc.weight".to_owned(), vec![7, inputs]));
        file.push(("fc.bias".to_owned(), vec![7]));
        file.reverse();
        let found = matched(&file, &model).unwrap();
        let names = |prefixes: &mut dyn Iterator<Item = &Prefix>| -> Vec<String> {
            prefixes.map(|Prefix(name)| name.clone()).collect()
        };
        let layers = names(&mut found.layers.iter().flatten());
        assert_eq!(
            layers[..5],
            [
                "conv1",
                "layer1.0.conv1",
                "layer1.0.conv2",
                "layer1.0.conv3",
                "layer1.0.downsample.0"
            ]
        );
        assert_eq!(layers.last().map(String::as_str), Some("fc"));
        // The norm of the shortcut comes before the one that adds it.
        let norms = names(&mut found.norms.iter());
        assert_eq!(
            norms[..6],
            [
                "bn1",
                "layer1.0.bn1",
                "layer1.0.bn2",
                "layer1.0.downsample.1",
                "layer1.0.bn3",
                "layer1.1.bn1"
            ]
        );
    }
}
