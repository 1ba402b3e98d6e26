//! Sizes and things that do not fit together, as data.

use std::fmt;
use std::ops::Range;

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
    /// Something that lacks what it cannot be used without.
    Lacks {
        /// What it is: "an optimiser".
        who: String,
        /// What it lacks: "a name, by which files are known".
        what: String,
    },
    /// An array of an optimiser's state that files could not distinguish from others.
    ArrayName {
        /// The optimiser's name.
        optimiser: String,
        /// The array's name.
        array: String,
        /// The names that are used for something else.
        taken: String,
    },
    /// A model with no connection, or with more of something than an index of 32 bits reaches.
    Connections {
        /// All its connections.
        connections: usize,
        /// The input units of all its layers.
        inputs: usize,
        /// The output units of all its layers.
        outputs: usize,
    },
    /// A part of a buffer that cannot be copied.
    View {
        /// The buffer's label.
        buffer: String,
        /// Its words.
        words: usize,
        /// The words that were asked for.
        range: Range<usize>,
        /// What is wrong with them: "are out of bounds".
        why: &'static str,
    },
    /// Something that a network was made without.
    NotMadeFor {
        /// What it is: "samples with weights".
        what: &'static str,
        /// The field of `NetworkOptions` that provides for it.
        option: &'static str,
    },
    /// Values of which there must be one for each of something else.
    OneEach {
        /// Which values: "weights".
        what: &'static str,
        /// How many there are.
        found: usize,
        /// What each of them is for, in the plural: "samples".
        of: &'static str,
        /// How many of those there are.
        needed: usize,
    },
    /// A weight of a class or a sample that is below 0 or not finite.
    Weight {
        /// What has it: "class".
        of: &'static str,
        /// Its number, counted from 0.
        number: usize,
        /// The weight.
        weight: f32,
    },
    /// The label of a sample that is not the number of a class.
    Label {
        /// The sample's number, counted from 0.
        sample: usize,
        /// The label.
        label: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// A number that chooses connections and is NaN or infinite.
    NotFinite {
        /// Which number: "the score of connection 3 of the dense network".
        what: String,
        /// What to do.
        way_out: String,
    },
    /// A state that cannot be written as a checkpoint.
    Unsaveable {
        /// The step at which it is.
        step: u64,
        /// The rule that it breaks.
        why: String,
    },
    /// A fault that code outside this crate reports, such as a layer or a loss of yours, as a sentence.
    Custom(String),
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
                write!(f, "{who} asks for {what}, which it does not declare")
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
            Misfit::Lacks { who, what } => write!(f, "{who} lacks {what}"),
            Misfit::ArrayName {
                optimiser,
                array,
                taken,
            } => write!(
                f,
                "the optimiser `{optimiser}` cannot have an array `{array}`: names are lower-case letters, digits and \
                 underscores, each once, none of {taken} and none that begins with bias_ or past_"
            ),
            Misfit::Connections {
                connections,
                inputs,
                outputs,
            } => write!(
                f,
                "{connections} connections between {inputs} inputs and {outputs} outputs: a model needs at least one \
                 connection and fewer than 2^32 of each"
            ),
            Misfit::View {
                buffer,
                words,
                range,
                why,
            } => write!(
                f,
                "words {range:?} of buffer `{buffer}` ({words} words) {why}"
            ),
            Misfit::NotMadeFor { what, option } => write!(
                f,
                "this network was not made for {what}; set NetworkOptions::{option}"
            ),
            Misfit::OneEach {
                what,
                found,
                of,
                needed,
            } => write!(
                f,
                "{found} {what} for {needed} {of}: there must be one for each"
            ),
            Misfit::Weight { of, number, weight } => write!(
                f,
                "the weight of {of} {number} (counted from 0) is {weight}; it must be a number, 0 or above"
            ),
            Misfit::Label {
                sample,
                label,
                classes,
            } => write!(
                f,
                "label {label} of sample {sample} (counted from 0) is not below {classes}, the number of classes"
            ),
            Misfit::NotFinite { what, way_out } => {
                write!(f, "{what} is not a finite number; {way_out}")
            }
            Misfit::Unsaveable { step, why } => write!(f, "no checkpoint of step {step}: {why}"),
            Misfit::Custom(text) => f.write_str(text),
        }
    }
}
