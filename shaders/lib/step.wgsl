// What changes from step to step. Host half: src/engine/shader/step_state.rs.
struct StepState {
    seed: u32,
    step: u32,
    count: u32, // members on the device; lanes from here on are padding
    learning_rate: f32,
    first: u32, // members of the batch that came before these
    total: u32, // members of the whole batch
}
