//! `rootlet flops`.

mod comparison;
mod figure;

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use rootlet::error::Fault;
use rootlet::model::{Model, ModelCount};
use rootlet::report::{check_output, counted, grouped, write_file};
use rootlet::sparse::allocate;
use rootlet::train::config::{real, within};
use rootlet::train::cost::{self, TrainingCost, dense_step};
use rootlet::{Error, Result};

use super::model_flags::ModelFlags;
use super::{checks, output};
use comparison::{Comparison, Counted, Row, percent};

const EXAMPLES: &str = "\
Examples:
  rootlet flops
      ResNet-50 on ImageNet: GSE against RigL from 80 % to 99.99 % sparsity.
  rootlet flops resnet56 --round-every 1000 --until 0.6
      A ResNet-56 by the paper's own schedule on CIFAR.
  rootlet flops resnet50 -o flops.svg
      The same as a figure.
  rootlet flops vgg16-small --methods gse,rigl,gradual,lottery,topkast,dense --json
      More methods, as one JSON object.";

/// Compares methods by their training FLOPs
///
/// Counts the floating-point operations of training by each method as Evci et al. 2020 do (forward f, backward 2 f,
/// plus whatever a round computes). Shows the mean of a step, per image, at a row of sparsities. The defaults are those
/// of the figure in the GSE paper: a round every 100 steps to the end, gamma 1. Nothing is allocated or trained.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct FlopsArgs {
    /// Name of the model, one of those that `rootlet model` lists
    #[arg(default_value = "resnet50")]
    name: String,
    /// Methods to count; the ratio compares the first to the second
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "gse,rigl", value_parser = method_values())]
    methods: Vec<String>,
    /// Sparsities to count at
    #[arg(
        long,
        value_name = "SHARES",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = real,
        default_value = "0.8,0.9,0.95,0.98,0.99,0.995,0.998,0.999,0.9995,0.9998,0.9999"
    )]
    sparsities: Vec<f64>,
    /// Optimiser steps between two rounds (T) [default: 100]
    #[arg(long, value_name = "STEPS", allow_negative_numbers = true, value_parser = within::<u64>(1..=u64::MAX))]
    round_every: Option<u64>,
    /// Share of the training after which there are no rounds (T_end) [default: 1]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = real)]
    until: Option<f64>,
    /// Images in a step; all figures are for this many
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true,
        value_parser = within::<u64>(1..=u64::MAX)
    )]
    batch: u64,
    #[command(flatten)]
    model: ModelFlags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Draw the figure into this SVG file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The names of the methods. Clap needs names that live as long as the program.
fn method_values() -> PossibleValuesParser {
    let names = cost::counted().into_iter();
    PossibleValuesParser::new(names.map(|name| &*name.leak()))
}

/// Counts, prints, and draws.
pub fn run(args: &FlopsArgs) -> Result<()> {
    if let Some(path) = &args.output {
        check_output(path, &[])?;
    }
    let comparison = compare(args)?;
    let text = match args.json {
        true => serde_json::to_string(&comparison).map_err(|e| {
            Error::Device(Fault::Written {
                what: "the counts",
                form: "JSON",
                why: e.to_string(),
            })
        })?,
        false => table(&comparison),
    };
    if let Some(path) = &args.output {
        let svg = figure::plot(&comparison)?;
        write_file(path, svg.as_bytes())?;
    }
    output::print(&(text + "\n"))
}

impl FlopsArgs {
    fn round_every(&self) -> u64 {
        self.round_every.unwrap_or(100)
    }

    fn until(&self) -> f64 {
        self.until.unwrap_or(1.0)
    }

    /// Refuses flags that change none of the counts.
    fn check_effects(&self) -> Result<()> {
        let counts = |names: &[&str]| (self.methods.iter()).any(|m| names.contains(&m.as_str()));
        let rounds = counts(&["gse", "rigl"]);
        for (flag, typed, has_effect, why) in [
            (
                "gamma",
                self.model.gamma.is_some(),
                counts(&["gse"]),
                "draws candidates",
            ),
            (
                "round-every",
                self.round_every.is_some(),
                rounds,
                "computes anything in rounds",
            ),
            (
                "until",
                self.until.is_some(),
                rounds,
                "computes anything in rounds",
            ),
        ] {
            if typed && !has_effect {
                let why = format!("none of the --methods {why}");
                return Err(checks::no_effect(flag, &why));
            }
        }
        Ok(())
    }
}

fn compare(args: &FlopsArgs) -> Result<Comparison> {
    if !(0.0..=1.0).contains(&args.until()) {
        return Err(Error::Value {
            option: "until",
            must: "must be a share of the training, from 0 to 1".to_owned(),
            value: args.until().to_string(),
        });
    }
    args.check_effects()?;
    if let Some(wrong) = args.sparsities.iter().find(|s| !(0.0..1.0).contains(*s)) {
        return Err(Error::Value {
            option: "sparsities",
            must: "must be at least 0 and below 1".to_owned(),
            value: wrong.to_string(),
        });
    }
    let config = args.model.config(&args.name);
    let model = args.model.build(&config)?;
    let shapes = model.shapes();
    let pairs: Vec<u64> = shapes.iter().map(|s| s.dense()).collect();
    let dense = ModelCount::new(&model, &pairs);
    let mut rows = Vec::new();
    for &sparsity in &args.sparsities {
        rows.push(match allocate(&shapes, sparsity, config.model.assignment) {
            Ok(active) => row(args, &model, &active, sparsity)?,
            Err(error) if error.is_usage() => Row {
                sparsity,
                connections: 0,
                methods: Vec::new(),
                ratio: None,
                skipped: Some(error.to_string()),
            },
            Err(other) => return Err(other),
        });
    }
    Ok(Comparison {
        image: model.input().to_string(),
        classes: model.classes(),
        model: model.name().to_owned(),
        dense_connections: dense.dense,
        dense_step: args.batch as f64 * dense_step(&dense),
        assignment: config.model.assignment,
        gamma: config.topology.gamma,
        round_every: args.round_every(),
        until: args.until(),
        batch: args.batch,
        rows,
    })
}

fn row(args: &FlopsArgs, model: &Model, active: &[u64], sparsity: f64) -> Result<Row> {
    let count = ModelCount::new(model, active);
    let rounds = args.until() / args.round_every() as f64;
    let batch = args.batch as f64;
    let gamma = args.model.gamma.unwrap_or(1.0);
    let methods = args.methods.iter().map(|method| {
        let cost = TrainingCost::named(method, gamma, rounds)?;
        let average = cost.average(&count);
        Ok(Counted {
            method: method.clone(),
            step: batch * average,
            of_dense: average / dense_step(&count),
            before: batch * cost.before(&count),
        })
    });
    let methods: Vec<Counted> = methods.collect::<Result<_>>()?;
    Ok(Row {
        sparsity,
        connections: count.active,
        ratio: match &methods[..] {
            [first, second, ..] => Some(first.step / second.step),
            _ => None,
        },
        methods,
        skipped: None,
    })
}

fn table(c: &Comparison) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "{} for images of {}, {}: {} connections, {} GFLOP a dense step\n\
         Mean training GFLOP of a step on {}, and its share of the dense step's; rounds every {} until {} of the \
         training, gamma {}\n",
        c.model,
        c.image,
        counted(c.classes as u64, "class"),
        grouped(c.dense_connections),
        figures(c.dense_step / 1e9),
        counted(c.batch, "image"),
        counted(c.round_every, "step"),
        percent(c.until),
        c.gamma,
    );
    let names: Vec<&str> = (c.rows.iter())
        .find(|row| !row.methods.is_empty())
        .map_or_else(Vec::new, |row| {
            row.methods.iter().map(|m| m.method.as_str()).collect()
        });
    let _ = write!(text, "{:>9}  {:>11}", "sparsity", "connections");
    for name in &names {
        let _ = write!(text, "  {name:>9}  {:>8}", "of dense");
    }
    if let [first, second, ..] = names[..] {
        let _ = write!(text, "  {first} / {second}");
    }
    for row in &c.rows {
        let _ = write!(text, "\n{:>9}  ", percent(row.sparsity));
        if let Some(reason) = &row.skipped {
            let _ = write!(text, "not counted: {reason}");
            continue;
        }
        let _ = write!(text, "{:>11}", grouped(row.connections));
        for method in &row.methods {
            let step = figures(method.step / 1e9);
            let _ = write!(text, "  {step:>9}  {:>6.2} %", 100.0 * method.of_dense);
        }
        if let Some(ratio) = row.ratio {
            let _ = write!(text, "  {ratio:.4} ({:+.1} %)", 100.0 * (ratio - 1.0));
        }
    }
    let before = c.rows.first().into_iter().flat_map(|row| &row.methods);
    for method in before.filter(|method| method.before > 0.0) {
        let _ = write!(
            text,
            "\n{} computes {} GFLOP more before the first step",
            method.method,
            figures(method.before / 1e9)
        );
    }
    text
}

/// A number with four digits.
fn figures(number: f64) -> String {
    let digits = match number {
        n if n >= 1000.0 => 0,
        n if n >= 100.0 => 1,
        n if n >= 10.0 => 2,
        n if n >= 1.0 => 3,
        n if n >= 0.1 => 4,
        n if n >= 0.01 => 5,
        _ => return format!("{number:.3e}"),
    };
    format!("{number:.digits$}")
}
