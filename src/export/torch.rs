//! A Python file that is a `torch.nn.Module`, and the arrays that it reads.

use std::fmt::Write;

use super::network::{Exported, Prepares, Step};
use super::npz::npz;
use crate::data::Task;
use crate::layer::Operation;

/// The name of the file with the arrays.
const ARRAYS: &str = "arrays.npz";

impl Exported {
    /// The files by name: `network.py` and `arrays.npz`.
    ///
    /// # Errors
    /// A file would be too large: a reason.
    pub fn torch(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut arrays = self.sparse_arrays();
        arrays.extend(self.dense_arrays());
        Ok(vec![
            (ARRAYS.to_owned(), npz(&arrays)?),
            ("network.py".to_owned(), self.python().into_bytes()),
        ])
    }

    fn python(&self) -> String {
        let (input, names) = (self.input(), &self.outputs);
        let takes = match &self.prepares {
            Prepares::Pixels { .. } => format!(
                "images [n, {}, {}, {}] with pixels from 0 to 1",
                input.channels, input.height, input.width
            ),
            Prepares::Rows(columns) => format!(
                "rows [n, {}] in the order of COLUMNS: numbers, numbers of categories, NaN for missing ones",
                columns.columns.len()
            ),
        };
        let gives = match self.task {
            Task::Classification => "the probability of each class",
            Task::MultiLabel => "the probability of each label",
            Task::Regression => "numbers in their own units",
        };
        let mut text = format!(
            "\"\"\"{}, exported by rootlet {}: takes {takes}; gives {gives}.\n\nThe weights are dense in memory; their \
             zeros are not in the file.\n\"\"\"\nimport pathlib\n\nimport numpy as np\nimport torch\nfrom torch.nn \
             import functional as F\n\n",
            self.name,
            env!("CARGO_PKG_VERSION")
        );
        let _ = writeln!(text, "OUTPUTS = {}", python_list(names));
        if let Prepares::Rows(columns) = &self.prepares {
            let named: Vec<String> = columns.columns.iter().map(|c| c.name.clone()).collect();
            let _ = writeln!(text, "COLUMNS = {}", python_list(&named));
            let categories = columns.columns.iter().filter_map(|column| {
                let names = column.categories.as_ref()?;
                Some(format!(
                    "{}: {}",
                    python_text(&column.name),
                    python_list(names)
                ))
            });
            let categories: Vec<String> = categories.collect();
            let _ = writeln!(text, "CATEGORIES = {{{}}}", categories.join(", "));
        }
        text.push_str(HEAD);
        for step in &self.steps {
            if let Some(rows) = &step.connections {
                let [y, x] = rows.window.kernel;
                let channels = rows.columns / (y * x).max(1);
                let _ = writeln!(
                    text,
                    "        self.dense(arrays, \"layers.{}\", ({}, {channels}, {y}, {x}))",
                    rows.layer,
                    rows.rows()
                );
            }
        }
        text.push_str(METHODS);
        if self
            .steps
            .iter()
            .any(|step| matches!(step.operation, Operation::Patches { .. }))
        {
            text.insert_str(text.find("\n\nclass ").unwrap_or(0), PATCHES);
        }
        if self
            .steps
            .iter()
            .any(|step| matches!(step.operation, Operation::Attention { .. }))
        {
            text.insert_str(text.find("\n\nclass ").unwrap_or(0), ATTENTION);
        }
        text.push_str("\n    def forward(self, x):\n");
        text.push_str(match &self.prepares {
            Prepares::Pixels { .. } => PIXELS,
            Prepares::Rows(_) => ROWS,
        });
        for (number, step) in self.steps.iter().enumerate().skip(1) {
            let _ = writeln!(
                text,
                "        v{number} = {}",
                self.expression(number, step)
            );
        }
        let _ = writeln!(
            text,
            "        outputs = v{}.flatten(1)",
            self.steps.len().saturating_sub(1)
        );
        text.push_str(match (self.task, &self.units) {
            (Task::Classification, _) => "        return outputs.softmax(1)\n",
            (Task::MultiLabel, _) => "        return outputs.sigmoid()\n",
            (Task::Regression, None) => "        return outputs\n",
            (Task::Regression, Some(_)) => {
                "        return (outputs.double() * self.at(\"output.scale\") + \
                 self.at(\"output.shift\")).float()\n"
            }
        });
        text
    }

    /// A step as an expression of values `v0`, `v1`…, each `[n, channels, height, width]`.
    fn expression(&self, number: usize, step: &Step) -> String {
        let x = |place: usize| format!("v{}", step.inputs.get(place).copied().unwrap_or(0));
        let at = |array: &str| format!("self.at(\"steps.{number}.{array}\")");
        let relu = |value: String, relu: bool| match relu {
            true => format!("F.relu({value})"),
            false => value,
        };
        let [channels, height, width] =
            [step.extent.channels, step.extent.height, step.extent.width];
        match &step.operation {
            Operation::Input | Operation::Identity => x(0),
            Operation::Connections { relu: follows } => {
                let Some(rows) = &step.connections else {
                    return x(0);
                };
                let layer = format!("layers.{}", rows.layer);
                let bias = match rows.bias.is_empty() {
                    true => "None".to_owned(),
                    false => format!("self.at(\"{layer}.bias\")"),
                };
                let ([sy, sx], [py, px]) = (rows.window.stride, rows.window.padding);
                let product = format!(
                    "F.conv2d({}, self.at(\"{layer}.weight\"), {bias}, ({sy}, {sx}), ({py}, {px}))",
                    x(0)
                );
                relu(product, *follows)
            }
            Operation::BatchNorm {
                epsilon,
                relu: follows,
            } => {
                let norm = format!(
                    "F.batch_norm({}, {}, {}, {}, {}, False, 0.0, {epsilon:e})",
                    x(0),
                    at("running_mean"),
                    at("running_variance"),
                    at("weight"),
                    at("bias")
                );
                let sum = match step.inputs.len() {
                    2 => format!("{norm} + {}", x(1)),
                    _ => norm,
                };
                relu(sum, *follows)
            }
            Operation::LayerNorm { epsilon } => {
                let channels = self.from(step).first().map_or(0, |from| from.channels);
                format!(
                    "F.layer_norm({}.movedim(1, 3), ({channels},), {}, {}, {epsilon:e}).movedim(3, 1)",
                    x(0),
                    at("weight"),
                    at("bias")
                )
            }
            Operation::Relu => format!("F.relu({})", x(0)),
            Operation::Gelu => format!("F.gelu({})", x(0)),
            Operation::Add => format!("{} + {}", x(0), x(1)),
            Operation::MaxPool(w) => {
                format!(
                    "F.max_pool2d({}, {}, {}, {})",
                    x(0),
                    w.size,
                    w.stride,
                    w.padding
                )
            }
            Operation::AveragePool(w) => {
                format!(
                    "F.avg_pool2d({}, {}, {}, {})",
                    x(0),
                    w.size,
                    w.stride,
                    w.padding
                )
            }
            Operation::Mean => format!("{}.mean((2, 3), keepdim=True)", x(0)),
            Operation::Flatten => format!("{}.reshape(-1, {channels}, 1, 1)", x(0)),
            Operation::Patches { side } => format!("patches({}, {side})", x(0)),
            Operation::Offsets(_) => format!(
                "{} + {}.reshape(1, {channels}, {height}, {width})",
                x(0),
                at("offsets")
            ),
            Operation::Attention { heads, dim } => format!("attention({}, {heads}, {dim})", x(0)),
            Operation::Shortcut { before, stride } => {
                let from = self.from(step).first().map_or(0, |from| from.channels);
                let after = channels.saturating_sub(from + before);
                format!(
                    "F.pad({}[:, :, ::{stride}, ::{stride}], (0, 0, 0, 0, {before}, {after}))",
                    x(0)
                )
            }
        }
    }
}

/// The class up to the layers.
const HEAD: &str = "

class Network(torch.nn.Module):
    def __init__(self, path=pathlib.Path(__file__).with_name(\"arrays.npz\")):
        super().__init__()
        arrays = np.load(path)
        for name in arrays.files:
            if name.rsplit(\".\", 1)[1] not in (\"indptr\", \"indices\", \"data\"):
                self.register_buffer(name.replace(\".\", \"_\"), torch.from_numpy(arrays[name]))
";

const METHODS: &str = "
    def at(self, name):
        return getattr(self, name.replace(\".\", \"_\"))

    def dense(self, arrays, layer, shape):
        starts, columns, values = (arrays[f\"{layer}.{part}\"] for part in (\"indptr\", \"indices\", \"data\"))
        weight = np.zeros((shape[0], shape[1] * shape[2] * shape[3]), np.float32)
        weight[np.repeat(np.arange(shape[0]), np.diff(starts)), columns] = values
        weight = torch.nn.Parameter(torch.from_numpy(weight.reshape(shape)))
        self.register_parameter(f\"{layer}.weight\".replace(\".\", \"_\"), weight)
";

const PATCHES: &str = "

def patches(x, side):
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // side, side, w // side, side).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, side * side * c, h // side, w // side)
";

const ATTENTION: &str = "

def attention(x, heads, dim):
    n, _, h, w = x.shape
    q, k, v = x.reshape(n, 3, heads, dim, h * w).unbind(1)
    scores = (q.transpose(2, 3) @ k / dim**0.5).softmax(3)
    return (v @ scores.transpose(2, 3)).reshape(n, heads * dim, h, w)
";

const PIXELS: &str = "        \
v0 = (x - self.at(\"pixels.mean\").reshape(-1, 1, 1)) / self.at(\"pixels.std\").reshape(-1, 1, 1)
";

const ROWS: &str = "        \
x = x.double()[:, self.at(\"rows.source\")]
        missing = x.isnan()
        x = torch.where(missing, self.at(\"rows.fill\"), x)
        first, second = self.at(\"rows.first\"), self.at(\"rows.second\")
        number, category = self.at(\"rows.number\") > 0, self.at(\"rows.category\") > 0
        x = torch.where(number, (x - first) / second, torch.where(category, x == first, missing).double())
        v0 = x.float()[:, :, None, None]
";

/// A text as Python writes it.
fn python_text(text: &str) -> String {
    // JSON's escapes are Python's, too.
    serde_json::Value::from(text).to_string()
}

fn python_list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| python_text(text)).collect();
    format!("[{}]", texts.join(", "))
}
