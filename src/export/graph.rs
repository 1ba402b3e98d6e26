//! An ONNX graph under construction.

use super::arrays::{Array, Numbers};
use super::network::Rows;
use super::proto::{
    Attribute, DOUBLE, Dimension, FLOAT, Graph, INT64, Node, Shape, Size, SparseTensor, Tensor,
    TensorType, Type, ValueInfo,
};

/// A graph under construction. Values and constants are known by their names.
#[derive(Debug, Default)]
pub(super) struct Building {
    pub graph: Graph,
    values: usize,
}

/// An attribute of a node.
pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute {
        name: name.to_owned(),
        i: Some(value),
        kind: 2,
        ..Attribute::default()
    }
}

/// An attribute of several numbers.
pub(super) fn ints(name: &str, values: &[usize]) -> Attribute {
    Attribute {
        name: name.to_owned(),
        ints: values.iter().map(|&value| value as i64).collect(),
        kind: 7,
        ..Attribute::default()
    }
}

/// An attribute of a number that is not whole.
pub(super) fn float(name: &str, value: f32) -> Attribute {
    Attribute {
        name: name.to_owned(),
        f: Some(value),
        kind: 1,
        ..Attribute::default()
    }
}

/// The type of a value with samples in front.
pub(super) fn value_info(name: &str, sizes: &[usize]) -> ValueInfo {
    let dimension = |size| Dimension { size: Some(size) };
    let samples = dimension(Size::Name("n".to_owned()));
    let sizes = sizes
        .iter()
        .map(|&size| dimension(Size::Value(size as i64)));
    ValueInfo {
        name: name.to_owned(),
        kind: Some(Type {
            tensor: Some(TensorType {
                elem_type: FLOAT,
                shape: Some(Shape {
                    dim: std::iter::once(samples).chain(sizes).collect(),
                }),
            }),
        }),
    }
}

impl Building {
    /// Adds a node with one value, whose name it returns.
    pub fn node(&mut self, operator: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        self.values += 1;
        let name = format!("{}_{}", operator.to_lowercase(), self.values);
        self.named(&name, operator, inputs, attributes);
        name
    }

    /// As [`Building::node`], for a value with this name.
    pub fn named(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&str],
        attribute: Vec<Attribute>,
    ) {
        self.graph.node.push(Node {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: operator.to_owned(),
            attribute,
        });
    }

    /// Adds a constant, and returns its name.
    pub fn constant(&mut self, name: &str, shape: &[usize], numbers: Numbers) -> String {
        self.values += 1;
        let name = format!("{name}_{}", self.values);
        let tensor = tensor(&Array::new(name.clone(), shape, numbers));
        self.graph.initializer.push(tensor);
        name
    }

    /// Adds a list of whole numbers.
    pub fn list(&mut self, name: &str, numbers: &[i64]) -> String {
        self.constant(name, &[numbers.len()], Numbers::I64(numbers.to_vec()))
    }

    /// Adds one number.
    pub fn number(&mut self, name: &str, number: f32) -> String {
        self.constant(name, &[], Numbers::F32(vec![number]))
    }

    /// Adds the weights of a sparse layer as a tensor of this shape, with its zeros or without.
    pub fn weights(&mut self, rows: &Rows, shape: &[usize], sparse: bool) -> String {
        let name = format!("layers.{}.weight", rows.layer);
        if !sparse {
            let dense = Array::new(name.clone(), shape, Numbers::F32(rows.dense()));
            self.graph.initializer.push(tensor(&dense));
            return name;
        }
        let places = rows.starts.windows(2).enumerate().flat_map(|(row, ends)| {
            let of_row = &rows.indices[ends[0] as usize..ends[1] as usize];
            of_row
                .iter()
                .map(move |&column| (row * rows.columns + column as usize) as i64)
        });
        let count = rows.values.len();
        let values = Array::new(name.clone(), &[count], Numbers::F32(rows.values.clone()));
        let indices = Array::new("", &[count], Numbers::I64(places.collect()));
        self.graph.sparse_initializer.push(SparseTensor {
            values: Some(tensor(&values)),
            indices: Some(tensor(&indices)),
            dims: shape.iter().map(|&size| size as i64).collect(),
        });
        name
    }
}

fn tensor(array: &Array) -> Tensor {
    Tensor {
        dims: array.shape.iter().map(|&size| size as i64).collect(),
        data_type: match array.numbers {
            Numbers::F32(_) => FLOAT,
            Numbers::F64(_) => DOUBLE,
            Numbers::I32(_) => 6,
            Numbers::I64(_) => INT64,
            Numbers::Text(_) => 2,
        },
        name: array.name.clone(),
        raw_data: array.bytes(),
    }
}
