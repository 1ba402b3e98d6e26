// What changes from step to step. Host half: src/engine/step_state.rs.
struct StepState {
    seed: u32,
    step: u32,
    count: u32, // members of this batch; lanes from here on are padding
    learning_rate: f32,
}
