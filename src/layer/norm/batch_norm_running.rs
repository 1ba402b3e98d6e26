//! Batch norm's statistics in an evaluation: those kept during training.

crate::kernel! {
    /// `saved[c] = running mean`, `saved[channels + c] = 1 / sqrt(running variance + epsilon)`.
    ///
    /// Shapes: `running` that of [`Parameters`](crate::layer::Parameters), `saved` `[2][channels]`. Grid:
    /// [`Items`](crate::engine::Grid::Items) = channels.
    pub BatchNormRunning, BatchNormRunningParams, BatchNormRunningTwin =
        "layer/norm/batch_norm_running", shader!("layer/norm/batch_norm_running");
    params {
        /// Channels.
        channels: u32,
        /// Start of the channels' running means.
        mean: u32,
        /// Start of their running variances.
        variance: u32,
        /// Added to the variance.
        epsilon: f32,
    }
    no loops;
    read running: f32,
    write saved: f32,
}

impl BatchNormRunningTwin<'_> {
    fn run(self) {
        let p = self.params;
        let channels = p.channels as usize;
        for c in 0..channels {
            self.saved[c] = self.running[p.mean as usize + c];
            let variance = self.running[p.variance as usize + c];
            self.saved[channels + c] = 1.0 / (variance + p.epsilon).sqrt();
        }
    }
}
