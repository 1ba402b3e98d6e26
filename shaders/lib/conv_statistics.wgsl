// The convolution before a batch norm, and the statistics of its values. A workgroup has a part of a unit's plane; it
// goes through the part in rounds (a single one on hardware if planes are small) and merges the results. Supplied by
// the kernel: `through`, as for conv_list, and `prepare`, which stores what `through` needs to know about a listed
// connection.
#import members
#import workgroup_sum
#import conv_forward
#import conv_parts
#import unfixed

fn put(on: On, sum: Four) {
    output[on.to] = sum.a;
    if on.held > 1u {
        output[on.to + params.vectors] = sum.b;
    }
    if on.held > 2u {
        output[on.to + 2u * params.vectors] = sum.c;
    }
    if on.held > 3u {
        output[on.to + 3u * params.vectors] = sum.d;
    }
}

// Number of samples, their mean, and the sum of their squared differences from it.
struct Found {
    n: f32,
    mean: f32,
    squares: f32,
}

fn away(x: vec4<f32>, mean: f32, keep: vec4<bool>) -> vec4<f32> {
    return select(vec4(0.0), x - mean, keep);
}

// The statistics of what a workgroup's invocations hold. In two passes, so that a small variance about a large mean is
// not lost.
fn found_in(index: u32, sum: Four, keep: vec4<bool>, held: u32) -> Found {
    let kept = select(vec4(0.0), vec4(1.0), keep);
    let count = (kept.x + kept.y + kept.z + kept.w) * f32(held);
    let none = vec4(0.0);
    let members_of = Four(
        select(none, sum.a, keep),
        select(none, sum.b, keep),
        select(none, sum.c, keep),
        select(none, sum.d, keep),
    );
    let whole = workgroup_sum(index, vec2(all_of(only_held(members_of, held)), count));
    let n = max(whole.y, 1.0);
    let mean = whole.x / n;
    let d = only_held(
        Four(away(sum.a, mean, keep), away(sum.b, mean, keep), away(sum.c, mean, keep), away(sum.d, mean, keep)),
        held,
    );
    let squares = Four(d.a * d.a, d.b * d.b, d.c * d.c, d.d * d.d);
    let both = workgroup_sum(index, vec2(all_of(d), all_of(squares)));
    // The rounding error of the mean is removed from both.
    let shift = both.x / n;
    return Found(whole.y, mean + shift, both.y - both.x * shift);
}

// Chan, Golub and LeVeque 1979.
fn merged(a: Found, b: Found) -> Found {
    if b.n == 0.0 {
        return a;
    }
    let n = a.n + b.n;
    let d = b.mean - a.mean;
    let share = b.n / n;
    return Found(n, a.mean + d * share, a.squares + b.squares + d * d * (a.n * share));
}

fn list_one(i: u32, j: u32, first_col: u32) {
    list[i] = listed(j, first_col);
    prepare(i, j);
}

@compute @workgroup_size(LANES, ROWS)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let flat = flat_group(group, groups);
    if flat >= params.rows * params.parts {
        return;
    }
    // Neighbouring workgroups have the same part of different units' planes, which see the same input.
    let part = flat / params.rows;
    let unit = flat - part * params.rows;
    let row = params.first_row + unit;
    let begin = row_offsets[row];
    let end = row_offsets[row + 1u];
    let initial = bias[row];
    let width = LANES * ROWS;
    let tiles = params.window.output_y * ((params.window.output_x + TILE - 1u) / TILE);
    var found = Found(0.0, 0.0, 0.0);
    // There are no more items than vectors of the output.
    let items = unfixed(params.part_items, arrayLength(&output));
    for (var round = 0u; round < items; round += width) {
        let item = part * params.part_items + round + index;
        let tile = item / params.vectors;
        let on = on_tile(unit, tile, item - tile * params.vectors);
        let present = tile < tiles;
        var sum = Four(vec4(initial), vec4(initial), vec4(initial), vec4(initial));
        for (var first = begin; first < end; first += LISTED) {
            let count = min(LISTED, end - first);
            if round == 0u || end - begin > LISTED {
                list_connections(first, count, params.first_col, index);
            }
            if present {
                if on.inside {
                    sum = plus_inside(sum, count, on);
                } else {
                    sum = plus_border(sum, count, on);
                }
            }
        }
        if present {
            put(on, sum);
        }
        found = merged(found, found_in(index, sum, members(on.v), select(0u, on.held, present)));
    }
    if index == 0u {
        let to = 3u * (unit * params.parts + part);
        parts[to] = found.n;
        parts[to + 1u] = found.mean;
        parts[to + 2u] = found.squares;
    }
}
