//! Reads RDNA assembly: how many loads a loop has in flight at once.

/// The most vector loads of at least `words` words that are in flight at once within any loop of a shader.
///
/// Blocks are processed in order. A load adds to those in flight, and `s_waitcnt vmcnt(n)` leaves n of them. A branch
/// to an earlier block closes a loop. What was in flight before a loop counts as waited for.
pub fn loads_in_flight(assembly: &str, words: u32) -> usize {
    let lines: Vec<Line> = assembly.lines().filter_map(Line::of).collect();
    let starts = |name: &str| {
        (lines.iter()).position(|line| matches!(line, Line::Block(block) if block == name))
    };
    let mut most = 0;
    for (end, line) in lines.iter().enumerate() {
        let Line::Branch(to) = line else { continue };
        let Some(start) = starts(to).filter(|&start| start < end) else {
            continue;
        };
        most = most.max(in_loop(&lines[start..end], words));
    }
    most
}

fn in_loop(lines: &[Line], words: u32) -> usize {
    // Whether each load in flight is one that counts, oldest first.
    let mut under_way: Vec<bool> = Vec::new();
    let mut most = 0;
    for line in lines {
        match line {
            Line::Load(size) => {
                under_way.push(*size >= words);
                most = most.max(under_way.iter().filter(|&&counts| counts).count());
            }
            Line::Wait(left) => {
                let done = under_way.len().saturating_sub(*left);
                under_way.drain(..done);
            }
            Line::Block(_) | Line::Branch(_) => {}
        }
    }
    most
}

/// The relevant part of a line.
#[derive(Debug, PartialEq)]
enum Line {
    /// A basic block begins.
    Block(String),
    /// A jump to a block.
    Branch(String),
    /// A load of this many words per lane.
    Load(u32),
    /// Waits until at most this many loads are in flight.
    Wait(usize),
}

impl Line {
    fn of(line: &str) -> Option<Self> {
        let line = line.split(';').next()?.trim();
        if let Some(name) = line.strip_suffix(':') {
            return Some(Line::Block(name.to_owned()));
        }
        let (operation, operands) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if operation == "s_branch" || operation.starts_with("s_cbranch") {
            return Some(Line::Branch(operands.trim().to_owned()));
        }
        if operation == "s_waitcnt" {
            let count = operands.split("vmcnt(").nth(1)?.split(')').next()?;
            return count.parse().ok().map(Line::Wait);
        }
        let size = operation
            .strip_prefix("buffer_load_")
            .or(operation.strip_prefix("global_load_"))?;
        Some(Line::Load(match size.trim_start_matches("dword") {
            "x2" => 2,
            "x3" => 3,
            "x4" => 4,
            _ => 1,
        }))
    }
}

#[test]
fn loads_are_counted_within_loops() {
    let serial = "BB0:\n buffer_load_dwordx4 v[0:3], v0 ; e0\nBB1:\n s_load_dwordx4 s[0:3], s[2:3], 0x30\n \
                  buffer_load_dword v4, v0\n s_waitcnt vmcnt(0) lgkmcnt(0)\n buffer_load_dwordx4 v[4:7], v4\n \
                  s_waitcnt vmcnt(0)\n s_branch BB1\nBB2:\n s_endpgm";
    assert_eq!(loads_in_flight(serial, 4), 1);
    let four = "BB1:\n buffer_load_dwordx4 v[0:3], v0\n buffer_load_dwordx4 v[0:3], v0\n s_waitcnt vmcnt(1)\n \
                buffer_load_dwordx4 v[0:3], v0\n buffer_load_dwordx4 v[0:3], v0\n s_cbranch_scc0 BB1";
    assert_eq!(loads_in_flight(four, 4), 3);
    assert_eq!(
        loads_in_flight(
            "BB1:\n buffer_load_dwordx4 v[0:3], v0\n s_branch BB2\nBB2:",
            4
        ),
        0
    );
}
