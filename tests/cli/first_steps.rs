//! From nothing to a result in the four commands that README names: photos, a table, several labels a row.

use std::fmt::Write;
use std::fs;

use crate::data::photos;
use crate::{Desk, text};

/// Looks at the data, trains, tests the newest run, reports. Returns what the last three said.
fn four(desk: &Desk, look: &[&str], train: &[&str]) -> [String; 3] {
    desk.good(look);
    let more = ["--threads=1", "--runs=runs"];
    let trained = desk.good(&[&["train"], train, &more].concat());
    let run = desk.runs().pop().unwrap();
    let tested = desk.good(&["eval", text(&run)]);
    let reported = desk.good(&["report", "runs"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    assert!(page.contains("</html>"), "{reported:?}");
    [trained.out + &trained.err, tested.out, page]
}

/// The preset, for fewer epochs.
#[test]
fn photos_in_four_commands() {
    let desk = Desk::new();
    for (part, count) in [("train", 12), ("val", 6)] {
        photos(
            &desk.path("photos").join(part),
            &["bee", "cat"],
            count * 10,
            count,
        );
    }
    let [trained, tested, _] = four(
        &desk,
        &["data", "check", "--data=photos"],
        &["--data=photos", "--epochs=4", "--batch=8", "--lr=0.02"],
    );
    assert!(trained.contains("resnet20"), "{trained}");
    assert!(tested.contains("accuracy"), "{tested}");
}

/// A table of plants of three species.
pub fn species(rows: usize) -> String {
    let mut table = String::from("length,width,site,species\n");
    for i in 0..rows {
        let (species, length) = [("oak", 2.0), ("ash", 6.0), ("elm", 9.0)][i % 3];
        let (length, width) = (length + (i * 7 % 10) as f64 / 10.0, (i * 13 % 17) as f64);
        let _ = writeln!(
            table,
            "{length},{width},{},{species}",
            ["north", "south"][i % 2]
        );
    }
    table
}

#[test]
fn a_table_in_four_commands() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), species(120)).unwrap();
    let [_, tested, _] = four(
        &desk,
        &["data", "show", "plants.csv"],
        &["--data=plants.csv", "--target=species"],
    );
    let accuracy = tested
        .split("accuracy ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    assert!(accuracy.parse::<f64>().unwrap() > 90.0, "{tested}");
}

#[test]
fn several_labels_in_four_commands() {
    let desk = Desk::new();
    let mut table = String::new();
    for i in 0..160u32 {
        // A label for each of the first two columns that is there.
        let [a, b] = [i % 2, i / 2 % 2];
        let labels = [(a, "0"), (b, "1")]
            .into_iter()
            .filter(|(there, _)| *there == 1);
        let labels: Vec<&str> = labels.map(|(_, label)| label).collect();
        let _ = writeln!(table, "{} 1:{a} 2:{b} 3:0.{}", labels.join(","), i * 7 % 10);
    }
    fs::write(desk.path("genes.svm"), table).unwrap();
    let [trained, tested, _] = four(
        &desk,
        &["data", "show", "genes.svm"],
        &["--data=genes.svm", "--hidden=64", "--epochs=40"],
    );
    assert!(trained.contains("P@1"), "{trained}");
    assert!(tested.contains("P@1"), "{tested}");
}
