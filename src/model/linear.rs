//! The linear network underlying a model: only its connections, without norms, biases and activations.

use super::node::{Model, Node};
use crate::error::{Error, Result};
use crate::layer::Linear;

impl Model {
    /// What remains of the model without its norms, biases, activations and dropout, in the sense of Tanaka et al. 2020
    /// ("Pruning neural networks without any data"): if weights and input are not negative, a ReLU changes nothing, and
    /// a freshly initialised norm is the identity in evaluation. Its sparse layers are those of the model.
    ///
    /// # Errors
    /// The model has attention, for which none of this holds.
    pub fn linear(&self) -> Result<Model> {
        let mut nodes: Vec<Node> = Vec::new();
        // For each node of the model, where its value is now.
        let mut now: Vec<usize> = Vec::new();
        for node in &self.nodes {
            let inputs: Vec<usize> = node.inputs.iter().map(|&i| now[i]).collect();
            let layer = match node.layer.linear(inputs.len()) {
                Linear::Identity => {
                    now.push(inputs[0]);
                    continue;
                }
                Linear::Same => node.layer.clone(),
                Linear::Instead(layer) => layer,
                Linear::None => {
                    return Err(Error::Model {
                        model: self.name.clone(),
                        why: format!(
                            "has a layer of the kind {}: the linear network that synflow prunes by exists for models \
                             of linear layers and convolutions only, without attention; use another method",
                            node.layer.kind()
                        ),
                    });
                }
            };
            now.push(nodes.len());
            nodes.push(Node {
                name: node.name.clone(),
                layer,
                inputs,
                extent: node.extent,
            });
        }
        Ok(Model {
            name: format!("{}, linear", self.name),
            nodes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Extent, ModelOptions, by_name};

    fn model(name: &str) -> Model {
        let input = Extent {
            channels: 3,
            height: 32,
            width: 32,
        };
        let options = ModelOptions {
            input,
            classes: 10,
            width: 1.0,
            hidden: &[8],
        };
        by_name(name, &options).expect("a known model")
    }

    #[test]
    fn the_sparse_layers_stay_and_the_rest_is_linear() {
        for name in ["mlp", "resnet20", "vgg16-small", "resnet50"] {
            let (model, linear) = (model(name), model(name).linear().expect("no attention"));
            assert_eq!(linear.shapes(), model.shapes(), "{name}");
            assert_eq!(linear.classes(), 10, "{name}");
            let odd = linear.nodes.iter().find(|n| {
                ["batch-norm", "relu", "dropout"].contains(&n.layer.kind())
                    || n.layer.ends_in_relu()
            });
            assert!(odd.is_none(), "{name}: {odd:?}");
            let late = linear.nodes.iter().enumerate();
            assert!(
                late.into_iter()
                    .all(|(n, node)| node.inputs.iter().all(|&i| i < n))
            );
        }
    }

    #[test]
    fn attention_has_no_linear_network() {
        let error = model("simple-vit-tiny").linear().expect_err("attention");
        assert!(error.to_string().contains("attention"), "{error}");
    }
}
