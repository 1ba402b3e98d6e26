//! Attention of one image by its definition, in 64-bit floats, and its gradient through the full Jacobian of the
//! softmax.

/// Sizes of the layer.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub heads: usize,
    pub dim: usize,
    pub tokens: usize,
}

impl Sizes {
    /// Elements of the output of one image; a third of those of its input.
    pub fn output(&self) -> usize {
        self.heads * self.dim * self.tokens
    }

    /// Element of the input: part 0 q, 1 k, 2 v.
    fn at(&self, part: usize, head: usize, d: usize, token: usize) -> usize {
        ((part * self.heads + head) * self.dim + d) * self.tokens + token
    }

    /// Element of the probabilities.
    fn pair(&self, head: usize, i: usize, j: usize) -> usize {
        (head * self.tokens + i) * self.tokens + j
    }

    fn scores(&self, qkv: &[f64], head: usize, i: usize) -> Vec<f64> {
        let product = |j: usize| -> f64 {
            (0..self.dim)
                .map(|d| qkv[self.at(0, head, d, i)] * qkv[self.at(1, head, d, j)])
                .sum()
        };
        (0..self.tokens)
            .map(|j| product(j) / (self.dim as f64).sqrt())
            .collect()
    }

    /// Largest magnitude of a score.
    pub fn largest_score(&self, qkv: &[f64]) -> f64 {
        (0..self.heads)
            .flat_map(|head| (0..self.tokens).flat_map(move |i| self.scores(qkv, head, i)))
            .fold(0.0, |most: f64, score| most.max(score.abs()))
    }

    /// `[heads][tokens][tokens]`.
    pub fn probabilities(&self, qkv: &[f64]) -> Vec<f64> {
        let mut all = Vec::new();
        for head in 0..self.heads {
            for i in 0..self.tokens {
                let scores = self.scores(qkv, head, i);
                let highest = scores.iter().fold(f64::NEG_INFINITY, |m, s| m.max(*s));
                let powers: Vec<f64> = scores.iter().map(|s| (s - highest).exp()).collect();
                let total: f64 = powers.iter().sum();
                all.extend(powers.iter().map(|p| p / total));
            }
        }
        all
    }

    /// `[heads * dim][tokens]`.
    pub fn forward(&self, qkv: &[f64]) -> Vec<f64> {
        let p = self.probabilities(qkv);
        let mut output = Vec::new();
        for head in 0..self.heads {
            for d in 0..self.dim {
                for i in 0..self.tokens {
                    let terms = (0..self.tokens)
                        .map(|j| p[self.pair(head, i, j)] * qkv[self.at(2, head, d, j)]);
                    output.push(terms.sum());
                }
            }
        }
        output
    }

    /// The gradient at `qkv` of `sum of delta * output`.
    pub fn backward(&self, qkv: &[f64], delta: &[f64]) -> Vec<f64> {
        let p = self.probabilities(qkv);
        let scale = 1.0 / (self.dim as f64).sqrt();
        let mut gradient = vec![0.0; qkv.len()];
        for head in 0..self.heads {
            for i in 0..self.tokens {
                let delta = |d: usize| delta[self.at(0, head, d, i)];
                for m in 0..self.tokens {
                    let pm = p[self.pair(head, i, m)];
                    for d in 0..self.dim {
                        gradient[self.at(2, head, d, m)] += pm * delta(d);
                    }
                    let dp: f64 = (0..self.dim)
                        .map(|d| delta(d) * qkv[self.at(2, head, d, m)])
                        .sum();
                    // dp_m / ds_j = p_m (1[m = j] - p_j)
                    for j in 0..self.tokens {
                        let same = if m == j { 1.0 } else { 0.0 };
                        let ds = dp * pm * (same - p[self.pair(head, i, j)]) * scale;
                        for d in 0..self.dim {
                            let (q, k) = (self.at(0, head, d, i), self.at(1, head, d, j));
                            gradient[q] += ds * qkv[k];
                            gradient[k] += ds * qkv[q];
                        }
                    }
                }
            }
        }
        gradient
    }
}

#[test]
fn the_oracles_gradient_is_the_slope_of_its_output() {
    let random = &mut crate::common::Random(1);
    for (heads, dim, tokens) in [(1, 1, 1), (1, 5, 3), (2, 3, 4)] {
        let sizes = Sizes { heads, dim, tokens };
        let mut real = |n| -> Vec<f64> { random.reals(n).into_iter().map(f64::from).collect() };
        let (qkv, delta) = (real(3 * sizes.output()), real(sizes.output()));
        let loss = |qkv: &[f64]| -> f64 {
            let output = sizes.forward(qkv);
            output.iter().zip(&delta).map(|(y, d)| y * d).sum()
        };
        for (i, gradient) in sizes.backward(&qkv, &delta).iter().enumerate() {
            let step = 1e-5;
            let moved = |by: f64| {
                let mut qkv = qkv.clone();
                qkv[i] += by;
                loss(&qkv)
            };
            let slope = (moved(step) - moved(-step)) / (2.0 * step);
            assert!(
                (slope - gradient).abs() < 1e-8,
                "{sizes:?}: element {i}: {gradient}, not {slope}"
            );
        }
    }
}
