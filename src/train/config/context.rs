//! What the values of one section mean for those of another.

use super::usual::Usual;
use crate::data::{IMAGE_FOLDER, Task, is_path};
use crate::model::MODELS;
use crate::topology::from_dense::Start;
use crate::topology::{Candidates, Method, MethodName};

/// What a whole configuration trains, as far as this decides which values have an effect.
pub(super) struct Context<'a> {
    /// The data set's name.
    pub data: &'a str,
    /// The task, as far as the configuration determines it.
    pub task: Option<Task>,
    /// The model's name.
    pub model: &'a str,
    /// The method's name.
    pub name: MethodName,
    /// The method.
    pub method: Box<dyn Method>,
    /// What is usual for the data.
    pub usual: Usual,
}

impl Context<'_> {
    /// Whether images come from a folder.
    pub fn is_folder(&self) -> bool {
        self.data == IMAGE_FOLDER
    }

    /// Whether the data are a table's file.
    pub fn is_table(&self) -> bool {
        is_path(self.data)
    }

    /// Whether the model is a perceptron.
    pub fn is_perceptron(&self) -> bool {
        self.model == MODELS[0]
    }

    /// Whether all connections exist until the end.
    pub fn is_dense(&self) -> bool {
        self.name == MethodName::Dense
    }

    /// Whether connections are chosen from a dense network before the first step.
    pub fn is_chosen(&self) -> bool {
        matches!(self.method.start(), Start::Chosen(_))
    }

    /// Where the candidates of a round come from.
    pub fn candidates(&self) -> Candidates {
        self.method.growth().candidates()
    }

    /// Whether it has rounds that grow connections.
    pub fn has_rounds(&self) -> bool {
        self.candidates() != Candidates::None
    }

    /// Whether its rounds draw candidates.
    pub fn draws(&self) -> bool {
        matches!(self.candidates(), Candidates::Sampled(_))
    }
}
