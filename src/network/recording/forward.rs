//! What a node's layer sees in the forward pass.

use std::cell::RefCell;

use super::node_pass::NodePass;
use super::recorder::{Recorder, Values};
use crate::engine::{Plan, Precision, View};
use crate::error::{Error, Misfit, Result};
use crate::layer::pass::{Forward, Mode};
use crate::sparse::Normalised;

/// What only a forward pass has.
struct Ahead<'a> {
    mode: Mode,
    /// `None` if it was left out.
    values: Vec<Option<View>>,
    /// What the first is then the norm of.
    normalised: Option<Normalised>,
    left_out: bool,
    output: View,
    /// Those of the first input, if its layer left some.
    statistics: Option<View>,
    /// Where the layer leaves its own.
    room: RefCell<Option<View>>,
    /// The node after this one, if its value is recorded with this one's.
    next: Option<Box<NodePass<'a, Ahead<'a>>>>,
}

impl Forward for NodePass<'_, Ahead<'_>> {
    fn mode(&self) -> Mode {
        self.own.mode
    }

    fn input(&self, i: usize) -> Result<View> {
        let input = self.own.values.get(i).cloned().flatten();
        input.ok_or_else(|| {
            Error::Shape(Misfit::Undeclared {
                who: "a layer".to_owned(),
                what: format!("its input number {i}"),
            })
        })
    }

    fn output(&self) -> View {
        self.own.output.clone()
    }

    fn statistics_room(&self, words: usize) -> Option<View> {
        let trains = matches!(self.own.mode, Mode::Train | Mode::Again);
        let room = (trains && self.recorder.goes_into_norm(self.node))
            .then(|| self.recorder.scratch("norm.statistics", words));
        self.own.room.replace(room.clone());
        room
    }

    fn statistics(&self) -> Option<View> {
        self.own.statistics.clone()
    }

    fn is_left_out(&self) -> bool {
        self.own.left_out
    }

    fn normalised(&self) -> Option<Normalised> {
        self.own.normalised.clone()
    }

    fn next(&self) -> Option<&dyn Forward> {
        let next = self.own.next.as_deref();
        next.map(|next| next as &dyn Forward)
    }
}

impl Recorder<'_> {
    /// Records the value of `node` and what its backward pass needs.
    pub fn forward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        mode: Mode,
    ) -> Result<()> {
        let recorded = node > 0 && self.joins(node - 1, mode);
        if recorded {
            return Ok(());
        }
        let n = &self.model.nodes()[node];
        if n.layer().is_alias(mode) {
            values.value[node] = Some(values.value(n.inputs()[0])?);
            return Ok(());
        }
        let mut pass = self.ahead(values, node, mode)?;
        if self.joins(node, mode) {
            pass.own.next = Some(Box::new(self.ahead(values, node + 1, mode)?));
        }
        pass.own.left_out = self.is_left_out(values, node, mode)?;
        n.layer().forward(plan, &pass)?;
        values.statistics[node] = pass.own.room.take();
        if pass.own.left_out {
            values.value[node] = None;
        }
        Ok(())
    }

    /// Whether the value of the node after `node` is recorded with that of `node`.
    fn joins(&self, node: usize, mode: Mode) -> bool {
        // If values are recomputed, it may belong to another segment.
        if !self.fuses() || self.options.recompute || mode == Mode::Restore {
            return false;
        }
        let [this, next] = match &self.model.nodes()[node..] {
            [this, next, ..] => [this, next],
            _ => return false,
        };
        let takes = next.inputs() == [node] && this.layer().joins(next.layer());
        takes && !(node > 0 && self.joins(node - 1, mode))
    }

    /// What the layer of `node` sees in a forward pass, with memory for its value and for what its backward pass needs.
    fn ahead(
        &self,
        values: &mut Values,
        node: usize,
        mode: Mode,
    ) -> Result<NodePass<'_, Ahead<'_>>> {
        let n = &self.model.nodes()[node];
        let first = n.inputs().first().copied();
        let normalised = first.and_then(|source| self.normalised(values, source));
        let taken = (n.inputs().iter())
            .map(|&i| match &normalised {
                Some(_) if Some(i) == first => Ok(None),
                _ => values.value(i).map(Some),
            })
            .collect::<Result<_>>()?;
        let words = self.words(node);
        let last = node + 1 == self.model.nodes().len();
        let output = match last {
            true => self.buffers.logits.range(0..words),
            false => self.value(node)?,
        };
        values.value[node] = Some(output.clone());
        let saved = n
            .layer()
            .saved_words(&self.model.inputs_of(n), self.lanes());
        if saved > 0 && mode != Mode::Restore {
            values.saved[node] = Some(self.tensor(node, "saved", saved, Precision::F32)?);
        }
        let ahead = Ahead {
            mode,
            values: taken,
            normalised,
            left_out: false,
            output,
            statistics: first.and_then(|i| values.statistics[i].clone()),
            room: RefCell::default(),
            next: None,
        };
        let (parameters, saved) = (
            self.parameters_of(values, node)?,
            values.saved[node].clone(),
        );
        Ok(self.node_pass(node, parameters, saved, ahead))
    }
}
