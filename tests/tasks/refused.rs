//! Invalid combinations are refused by name.

use crate::common::says;
use crate::{INPUTS, Kind, config, data, part};
use rootlet::data::{Dataset, ImageShape};
use rootlet::engine::Device;
use rootlet::train::config::{LossName, TaskName};
use rootlet::train::{TrainConfig, Trainer};

fn made(kind: Kind, change: &dyn Fn(&mut TrainConfig)) -> rootlet::Result<Trainer> {
    let mut config = config("static");
    change(&mut config);
    Trainer::new(Device::cpu(1)?, config, data(kind))
}

#[test]
fn tasks_and_losses_of_other_data() {
    for (kind, task, found) in [
        (
            Kind::Labels,
            TaskName::Regression,
            "a class, for classification",
        ),
        (
            Kind::Values,
            TaskName::MultiLabel,
            "2 numbers, for regression",
        ),
        (
            Kind::Flags,
            TaskName::Classification,
            "4 classes that apply or not, for multi-label",
        ),
    ] {
        let parts = [
            format!("`task` {task}"),
            "functions".to_owned(),
            found.to_owned(),
        ];
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        says(made(kind, &|c| c.task.name = task).map(drop), &parts);
    }
    for (kind, loss) in [
        (Kind::Labels, LossName::Mse),
        (Kind::Labels, LossName::Bce),
        (Kind::Values, LossName::CrossEntropy),
        (Kind::Flags, LossName::Huber),
    ] {
        let parts = [format!("`loss` {loss}"), "use `loss` auto".to_owned()];
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        says(made(kind, &|c| c.task.loss = loss).map(drop), &parts);
    }
    let both = |c: &mut TrainConfig| {
        c.task.name = TaskName::Classification;
        c.task.loss = LossName::Mse;
    };
    says(
        made(Kind::Labels, &both).map(drop),
        &["`loss` mse is for regression, and `task` is classification"],
    );
}

#[test]
fn weights_and_shares_of_classes_that_there_are_not() {
    let weights =
        |text: &'static str| move |c: &mut TrainConfig| c.task.class_weights = text.into();
    says(
        made(Kind::Values, &weights("balanced")).map(drop),
        &["`class_weights` balanced weigh classes", "2 numbers"],
    );
    says(
        made(Kind::Labels, &weights("1,2")).map(drop),
        &["`class_weights` has 2 numbers", "3 classes"],
    );
    for text in ["", "1,-1,1", "0,0,0", "1,nan,1", "some"] {
        says(
            made(Kind::Labels, &weights(text)).map(drop),
            &["`class_weights` must be none, balanced, a number for each class"],
        );
    }
    for kind in [Kind::Flags, Kind::Values] {
        says(
            made(kind, &|c| c.task.balance = true).map(drop),
            &["`balance` draws each class as often"],
        );
        says(
            made(kind, &|c| c.optimiser.label_smoothing = 0.1).map(drop),
            &["`label_smoothing` 0.1 is for a class a sample"],
        );
    }
    for delta in [0.0, -1.0, f64::NAN, 1e30] {
        says(
            made(Kind::Values, &|c| c.task.huber_delta = delta).map(drop),
            &["`huber_delta` must be above 0"],
        );
    }
}

#[test]
fn halves_with_other_targets() {
    let shape = ImageShape::vector(INPUTS);
    let (train, test) = (part(Kind::Flags, 1, 9), part(Kind::Labels, 2, 9));
    says(
        Dataset::new("both", shape, train, test).map(drop),
        &["with 4 classes that apply or not each", "with a class"],
    );
}
