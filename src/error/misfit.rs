//! Sizes and things that do not fit together, as data.

use std::fmt;

/// What does not fit.
#[derive(Debug)]
#[non_exhaustive]
pub enum Misfit {
    /// Memory of the wrong length.
    Words {
        /// Which memory: "pooling: `input`".
        what: String,
        /// Words in it.
        found: usize,
        /// Words that are needed.
        needed: usize,
    },
    /// More things than can be counted or placed.
    TooMany {
        /// Which things: "samples".
        what: String,
        /// How many there are.
        count: String,
        /// Largest number allowed.
        most: u64,
        /// What to do: "a smaller `batch`"; it may be empty.
        way_out: String,
    },
    /// An index past the last one.
    NoSuch {
        /// Of what: "image".
        what: &'static str,
        /// The index, counted from 0.
        number: u64,
        /// How many there are.
        of: usize,
    },
    /// Something requested that was not declared.
    Undeclared {
        /// Who requested it: "a prelu layer".
        who: String,
        /// What was requested: "the array `slope`".
        what: String,
    },
    /// A plan with a wrong dispatch.
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
    /// Something that belongs to another device than the one that is to use it.
    Foreign {
        /// What it is: "buffer `values`".
        what: String,
    },
    /// A layer that cannot be made with these sizes.
    Layer {
        /// The layer, with its sizes.
        layer: String,
        /// The rule that is broken.
        why: String,
    },
    /// Something that does not fit the sizes of what should hold it.
    Unfit {
        /// What there is, in the plural: "batches of 3 images".
        found: String,
        /// What it should fit.
        expected: String,
    },
    /// A batch for which a network has no room, or whose inputs have another size.
    Batch {
        /// Number of its samples.
        samples: usize,
        /// Numbers in all its inputs.
        numbers: usize,
        /// Samples that the network has room for, padding included.
        lanes: usize,
        /// Numbers that the network takes.
        inputs: usize,
    },
    /// Samples that cannot form a data set.
    Samples {
        /// Which samples: "the test images of digits".
        what: String,
        /// What is wrong with them.
        why: String,
    },
    /// A fault that occurs in one place only, as a sentence.
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
