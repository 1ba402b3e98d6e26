//! An image beside what the answer to it depends on.

use super::heat;
use crate::data::{ImageShape, Task};
use crate::explain::{Explanation, Smoothing};
use crate::report::figure::{Figure, Plot, Sheet};
use crate::report::text::percent;
use crate::train::to_probabilities;
use crate::words::{counted, grouped};

/// What is known of an explained image besides its explanation.
#[derive(Clone, Copy, Debug)]
pub struct ExplainedImage<'a> {
    /// What it is called: its file.
    pub name: &'a str,
    /// What the network predicts.
    pub task: Task,
    /// The names of the outputs; empty if they have no names.
    pub outputs: &'a [String],
    /// What is right, if that is known.
    pub truth: Option<&'a str>,
    /// Its size.
    pub shape: ImageShape,
    /// The numbers that are black and white.
    pub range: [f32; 2],
}

impl ExplainedImage<'_> {
    fn output(&self, number: usize) -> String {
        let name = self.outputs.get(number).cloned();
        name.unwrap_or_else(|| format!("class {number}"))
    }
}

/// The image, and beside it a heat map over it: where small changes of its pixels change the explained output most.
pub fn explained_image(image: ExplainedImage<'_>, told: &Explanation) -> Figure {
    let mut shares = told.outputs.clone();
    to_probabilities(image.task, &mut shares);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| told.outputs[b].total_cmp(&told.outputs[a]).then(a.cmp(&b)));
    let with_share = |output: usize| match image.task {
        Task::Regression => format!("{}: {}", image.output(output), told.outputs[output]),
        _ => format!(
            "{}, {}",
            image.output(output),
            percent(f64::from(shares[output]))
        ),
    };
    let mut lines = Vec::new();
    if let Some(&answer) = order.first() {
        lines.push(format!("answer: {}", with_share(answer)));
    }
    if let Some(&second) = order.get(1) {
        lines.push(format!("runner-up: {}", with_share(second)));
    }
    if let Some(truth) = image.truth {
        lines.push(format!("truth: {truth}"));
    }
    if order.first() != Some(&told.output) && order.get(1) != Some(&told.output) {
        lines.push(format!("explained: {}", with_share(told.output)));
    }
    let picture = heat::image("the image", image.shape, &told.inputs, image.range);
    let strength = heat::strength(image.shape, &told.gradient);
    let caption = format!("what “{}” depends on", image.output(told.output));
    let over = heat::heat_over(&caption, &picture, &strength);
    Figure {
        id: format!("explained-{}", image.name),
        title: image.name.to_owned(),
        note: String::new(),
        plot: Plot::Pictures {
            pictures: vec![picture, over],
            scale: Some(heat::scale("hardly", "most")),
            lines,
        },
    }
}

/// Explained images as one sheet.
pub fn explained_images(
    network: &str,
    figures: Vec<Figure>,
    smoothing: Option<Smoothing>,
) -> Sheet {
    const WHAT: &str = "The colours show the size of the gradient of that class's output (its logit) by the pixels";
    let how = match smoothing {
        None => format!("{WHAT}, blurred over neighbouring ones."),
        Some(Smoothing {
            copies,
            noise,
            seed,
        }) => format!(
            "{WHAT}, blurred over neighbouring ones: the mean over {} noisy {} of the image (SmoothGrad, Smilkov et al. \
             2017; noise {:.0} % of its range, seed {seed}).",
            grouped(copies as u64),
            if copies == 1 { "copy" } else { "copies" },
            100.0 * noise,
        ),
    };
    Sheet {
        title: match figures.len() {
            1 => format!("What the answer of {network} depends on"),
            count => format!("What the answers of {network} depend on: {}", counted(count as u64, "image")),
        },
        lines: vec![
            "Where it is dark red, the network looks: small changes of these pixels change its output for the named \
             class most. The faded picture below the colours is the image."
                .to_owned(),
            how,
        ],
        columns: match figures.len() {
            0 | 1 => 1,
            2..=4 => 2,
            _ => 3,
        },
        scale: 2,
        figures,
    }
}
