//! Sizes and things that do not fit together, as data.

use std::fmt;

/// What does not fit.
#[derive(Debug)]
#[non_exhaustive]
pub enum Misfit {
    /// Memory of another length than is needed.
    Words {
        /// Whose: "pooling: `input`".
        what: String,
        /// Words that it has.
        found: usize,
        /// Words that it needs.
        needed: usize,
    },
    /// More than can be counted or placed.
    TooMany {
        /// Of what: "samples".
        what: String,
        /// How many there are.
        count: String,
        /// Most that there may be.
        most: u64,
        /// What to do: "a smaller `batch`"; it may be empty.
        way_out: String,
    },
    /// A number past the last one.
    NoSuch {
        /// Of what: "image".
        what: &'static str,
        /// The number, counted from 0.
        number: u64,
        /// How many there are.
        of: usize,
    },
    /// What is asked for and was not declared.
    Undeclared {
        /// Who asks: "a prelu layer".
        who: String,
        /// For what: "the array `slope`".
        what: String,
    },
    /// A plan whose dispatch is wrong.
    Plan {
        /// The plan's name.
        plan: String,
        /// The kernel's name.
        kernel: &'static str,
        /// What is wrong with the dispatch.
        why: String,
    },
    /// A dispatch that gives a kernel more or fewer views than it has bindings.
    Bindings {
        /// The plan's name.
        plan: String,
        /// The kernel's name.
        kernel: &'static str,
        /// Bindings that the kernel declares.
        declared: usize,
        /// Views that it is given.
        given: usize,
    },
    /// What belongs to another device than the one that is to use it.
    Foreign {
        /// It: "buffer `values`".
        what: String,
    },
    /// A layer that these sizes do not make.
    Layer {
        /// The layer, with its sizes.
        layer: String,
        /// The rule that is broken.
        why: String,
    },
    /// One thing that is to go into another one, of other sizes.
    Unfit {
        /// What there is, in the plural: "batches of 3 images".
        found: String,
        /// What it should fit.
        expected: String,
    },
    /// A batch that a network has no room for, or whose numbers are others than it takes.
    Batch {
        /// Its samples.
        samples: usize,
        /// Numbers of all its inputs.
        numbers: usize,
        /// Samples that the network has room for, padding included.
        lanes: usize,
        /// Numbers that it takes.
        inputs: usize,
    },
    /// Samples that make no data set.
    Samples {
        /// Which: "the test images of digits".
        what: String,
        /// What is wrong with them.
        why: String,
    },
    /// What happens in one place alone, in a sentence.
    Other(String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Words {
                what,
                found,
                needed,
            } => write!(f, "{what} has {found} words, {needed} are needed"),
            Misfit::TooMany {
                what,
                count,
                most,
                way_out,
            } => {
                write!(
                    f,
                    "{count} {what} are more than {most}, the most there may be"
                )?;
                match way_out.as_str() {
                    "" => Ok(()),
                    way_out => write!(f, "; use {way_out}"),
                }
            }
            Misfit::NoSuch { what, number, of } => {
                write!(f, "there is no {what} {number} among {of}, counted from 0")
            }
            Misfit::Undeclared { who, what } => {
                write!(f, "{who} asks for {what}, of which it declares none")
            }
            Misfit::Plan { plan, kernel, why } => {
                write!(f, "plan `{plan}`, kernel `{kernel}`: {why}")
            }
            Misfit::Bindings {
                plan,
                kernel,
                declared,
                given,
            } => write!(
                f,
                "plan `{plan}`, kernel `{kernel}` has {declared} bindings, not {given}"
            ),
            Misfit::Foreign { what } => {
                write!(f, "{what} was made for another device than this one")
            }
            Misfit::Layer { layer, why } => write!(f, "{layer}: {why}"),
            Misfit::Unfit { found, expected } => write!(f, "{found} do not fit {expected}"),
            Misfit::Batch {
                samples,
                numbers,
                lanes,
                inputs,
            } => write!(
                f,
                "a batch of {samples} samples with {numbers} numbers does not fit a network of {lanes} lanes with \
                 {inputs}"
            ),
            Misfit::Samples { what, why } => write!(f, "{what}: {why}"),
            Misfit::Other(text) => f.write_str(text),
        }
    }
}
