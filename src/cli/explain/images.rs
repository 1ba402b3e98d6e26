//! Explained images.

use rootlet::explain::{Explainer, Explanation};
use rootlet::report::{ExplainedImage, Figure, counted, explained_image, explained_images};
use rootlet::{Error, Result};

use super::super::output;
use super::super::samples::{Samples, Wanted};
use super::super::trained::Opened;
use super::args::ExplainArgs;
use super::picture::{Picture, name_of};

/// Images of a part that are explained if nobody says how many.
const USUAL: usize = 6;

/// Most images in a picture.
const MOST: usize = 60;

pub(super) fn run(args: &ExplainArgs, opened: &Opened) -> Result<()> {
    let smoothing = args.smoothing()?;
    let file = Picture::begin(args)?;
    let explainer = Explainer::of_checkpoint(args.samples.device.open()?, &opened.checkpoint)?;
    let predictor = explainer.predictor();
    let class = match &args.class {
        Some(name) => Some(class_of(
            name,
            predictor.output_names(),
            predictor.outputs(),
        )?),
        None => None,
    };
    let wanted = Wanted {
        inputs: &args.samples.inputs,
        asked: args.samples.asked(Some(USUAL), None),
        tells_limit: args.samples.limit.is_some(),
        part: args.samples.part,
        skips: false,
        can_skip: false,
        notes: false,
        done: "explained",
        doing: "explaining",
    };
    let samples = match args.samples.inputs.is_empty() {
        true => vec![Samples::of_part(&wanted, opened, predictor)?],
        false => Samples::of_inputs(&wanted, predictor)?,
    };
    let count: usize = samples.iter().map(|all| all.images.len()).sum();
    if count > MOST {
        return Err(Error::Fixed {
            what: format!(
                "{} are more than a picture holds",
                counted(count as u64, "image")
            ),
            way_out: format!("name at most {MOST}, or say how many with --limit"),
        });
    }
    let mut figures: Vec<Figure> = Vec::new();
    for all in &samples {
        let told = explainer.explain(&all.images, class, smoothing)?;
        for (number, explanation) in told.iter().enumerate() {
            let truth = all
                .class(number)
                .map(|class| name_of_output(predictor.output_names(), class as usize));
            let image = ExplainedImage {
                name: &all.title(number),
                task: predictor.task(),
                outputs: predictor.output_names(),
                truth: truth.as_deref(),
                shape: predictor.shape(),
                range: range(explanation),
            };
            figures.push(explained_image(image, explanation));
        }
    }
    if figures.is_empty() {
        return Err(Error::Nothing {
            what: "explained: there are no images".to_owned(),
        });
    }
    file.finish(&explained_images(
        &name_of(&args.samples.checkpoint),
        figures,
        smoothing,
    ))?;
    output::print(&format!(
        "{}: {}\n",
        args.output.display(),
        counted(count as u64, "image")
    ))
}

fn name_of_output(names: &[String], number: usize) -> String {
    names
        .get(number)
        .cloned()
        .unwrap_or_else(|| number.to_string())
}

/// What is black and what is white: images are from 0 to 1, other numbers have their own range.
fn range(told: &Explanation) -> [f32; 2] {
    let lowest = told.inputs.iter().copied().fold(f32::INFINITY, f32::min);
    let highest = told
        .inputs
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    // Taking off the normalisation rounds.
    match lowest >= -1e-3 && highest <= 1.001 {
        true => [0.0, 1.0],
        false => [lowest, highest],
    }
}

/// The number of the class with this name.
fn class_of(name: &str, names: &[String], outputs: usize) -> Result<usize> {
    let numbers: Vec<String> = (0..outputs).map(|number| number.to_string()).collect();
    let known = if names.is_empty() { &numbers } else { names };
    let found = known.iter().position(|own| own == name);
    found.ok_or_else(|| {
        const SHOWN: usize = 20;
        let list = known
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match known.len() > SHOWN {
            true => format!(" and {} more", known.len() - SHOWN),
            false => String::new(),
        };
        Error::Value {
            option: "class",
            must: format!("must be one of {list}{more}"),
            value: name.to_owned(),
        }
    })
}
