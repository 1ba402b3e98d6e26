//! The table of docs/isa.md: what each kernel may take.

use std::fmt::Write;
use std::path::Path;

use crate::assembly::loads_in_flight;
use crate::radv::Compiled;

const BEGIN: &str = "<!-- kernels: written by tests/isa -->\n";
const END: &str = "<!-- end -->\n";
const HEAD: &str = "| kernel | registers | workgroup memory, bytes | waves a SIMD, of 32 | instructions | vec4 loads under way |\n\
                    |---|---|---|---|---|---|\n";

/// A kernel's line.
pub struct Row {
    pub name: String,
    pub registers: u64,
    pub memory: u64,
    pub waves: u64,
    pub instructions: u64,
    pub loads: usize,
}

impl Row {
    pub fn of(name: &str, compiled: &Compiled) -> Self {
        let number = |name: &str| compiled.statistics[name];
        Row {
            name: name.to_owned(),
            registers: number("VGPRs"),
            memory: number("LDS size"),
            waves: number("Subgroups per SIMD"),
            instructions: number("Instructions"),
            loads: loads_in_flight(&compiled.assembly, 4),
        }
    }

    /// Parses a line of the table.
    fn read(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number = |at: usize| cells[at].parse().ok();
        Some(Row {
            name: cells[1].trim_matches('`').to_owned(),
            registers: number(2)?,
            memory: number(3)?,
            waves: number(4)?,
            instructions: number(5)?,
            loads: number(6)? as usize,
        })
    }
}

/// What exceeds what docs/isa.md states, or is missing there. Another version of the driver than the one that the page
/// names is only compared by registers, with some room.
pub fn compare(driver: &str, rows: &[Row]) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/isa.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, behind) = rest.split_once(END).unwrap();
    if std::env::var_os("REDRAW").is_some() {
        let page = format!("{before}{BEGIN}{}{END}{behind}", written(driver, rows));
        std::fs::write(&path, page).unwrap();
        return Vec::new();
    }
    let same = table.lines().next() == Some(by(driver).as_str());
    let room = |most: u64| if same { most } else { most + most / 2 + 16 };
    let stated: Vec<Row> = table.lines().skip(4).filter_map(Row::read).collect();
    let mut faults = Vec::new();
    for row in rows {
        let Some(most) = stated.iter().find(|stated| stated.name == row.name) else {
            faults.push(format!("docs/isa.md does not state {}", row.name));
            continue;
        };
        if row.registers > room(most.registers) {
            let (found, most) = (row.registers, most.registers);
            faults.push(format!(
                "{} takes {found} registers, stated are {most}",
                row.name
            ));
        }
        if row.memory > most.memory {
            let (found, most) = (row.memory, most.memory);
            faults.push(format!(
                "{} takes {found} bytes, stated are {most}",
                row.name
            ));
        }
        if same && row.loads < most.loads {
            let (found, least) = (row.loads, most.loads);
            faults.push(format!(
                "{} has {found} loads under way, stated are {least}",
                row.name
            ));
        }
    }
    faults.extend(
        (stated
            .iter()
            .filter(|stated| rows.iter().all(|row| row.name != stated.name)))
        .map(|stated| format!("docs/isa.md states {}, which is no kernel", stated.name)),
    );
    faults
}

fn by(driver: &str) -> String {
    format!("Compiled by RADV of {driver} for navi21 (RDNA 2).")
}

fn written(driver: &str, rows: &[Row]) -> String {
    let mut table = format!("{}\n\n{HEAD}", by(driver));
    for row in rows {
        let Row {
            name,
            registers,
            memory,
            waves,
            instructions,
            loads,
        } = row;
        let _ = writeln!(
            table,
            "| `{name}` | {registers} | {memory} | {waves} | {instructions} | {loads} |"
        );
    }
    table
}
