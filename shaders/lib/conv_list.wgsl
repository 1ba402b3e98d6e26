// The convolutions' products in the hardware shape. A workgroup has one unit and some lines of its items. Its
// invocations first decode the unit's connections in parallel into workgroup memory: decoded one by one, each would
// cost every line of lanes loads that wait for each other. What remains in the loop is a read from workgroup memory,
// and loads of the source that wait for nothing: two connections' at four positions, eight in flight at once, or with
// UNROLL = 8 four connections'.
//
// Supplied by the kernel: `On`, where an item's tile is; `places` and `sees`, what a connection reads from there;
// `loaded`; `through`, which converts the loaded values for connection j of the list; and `list_one`, which makes
// connection j entry i of the list, with the unit's first column.

// Number of connections that are listed at a time.
const LISTED = 128u;

// x: where in the source a tap is, from position (0, 0); y, z: its row and column; w: the weight's bits.
var<workgroup> list: array<vec4<u32>, 128>; // LISTED

// A tile's positions.
struct Four {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

// Lists `count` connections, from number `first` on. All invocations of the workgroup must call it.
fn list_connections(first: u32, count: u32, first_col: u32, index: u32) {
    workgroupBarrier();
    for (var i = index; i < count; i += LANES * ROWS) {
        list_one(i, first + i, first_col);
    }
    workgroupBarrier();
}

fn plus(sum: Four, w: f32, x: Four) -> Four {
    return Four(sum.a + w * x.a, sum.b + w * x.b, sum.c + w * x.c, sum.d + w * x.d);
}

// Values outside the plane add nothing, even if they are NaN.
fn plus_seen(sum: Four, w: f32, x: Four, seen: vec4<bool>) -> Four {
    return Four(
        select(sum.a, sum.a + w * x.a, seen.x),
        select(sum.b, sum.b + w * x.b, seen.y),
        select(sum.c, sum.c + w * x.c, seen.z),
        select(sum.d, sum.d + w * x.d, seen.w),
    );
}

// For tiles whose taps are all inside the plane.
fn plus_inside(initial: Four, count: u32, on: On) -> Four {
    var sum = initial;
    var j = 0u;
    if UNROLL == 8u {
        for (; j + 3u < count; j += 4u) {
            let p = list[j];
            let q = list[j + 1u];
            let r = list[j + 2u];
            let s = list[j + 3u];
            let x = loaded(places(p, on));
            let y = loaded(places(q, on));
            let z = loaded(places(r, on));
            let w = loaded(places(s, on));
            sum = plus(sum, bitcast<f32>(p.w), through(x, j));
            sum = plus(sum, bitcast<f32>(q.w), through(y, j + 1u));
            sum = plus(sum, bitcast<f32>(r.w), through(z, j + 2u));
            sum = plus(sum, bitcast<f32>(s.w), through(w, j + 3u));
        }
    }
    for (; j + 1u < count; j += 2u) {
        let p = list[j];
        let q = list[j + 1u];
        let x = loaded(places(p, on));
        let y = loaded(places(q, on));
        sum = plus(sum, bitcast<f32>(p.w), through(x, j));
        sum = plus(sum, bitcast<f32>(q.w), through(y, j + 1u));
    }
    if j < count {
        let p = list[j];
        sum = plus(sum, bitcast<f32>(p.w), through(loaded(places(p, on)), j));
    }
    return sum;
}

// At its border: the source's first position is loaded instead of values outside, and dropped.
fn plus_border(initial: Four, count: u32, on: On) -> Four {
    var sum = initial;
    var j = 0u;
    if UNROLL == 8u {
        for (; j + 3u < count; j += 4u) {
            let p = list[j];
            let q = list[j + 1u];
            let r = list[j + 2u];
            let s = list[j + 3u];
            let sees_p = sees(p, on);
            let sees_q = sees(q, on);
            let sees_r = sees(r, on);
            let sees_s = sees(s, on);
            let x = loaded(select(vec4(on.v), places(p, on), sees_p));
            let y = loaded(select(vec4(on.v), places(q, on), sees_q));
            let z = loaded(select(vec4(on.v), places(r, on), sees_r));
            let w = loaded(select(vec4(on.v), places(s, on), sees_s));
            sum = plus_seen(sum, bitcast<f32>(p.w), through(x, j), sees_p);
            sum = plus_seen(sum, bitcast<f32>(q.w), through(y, j + 1u), sees_q);
            sum = plus_seen(sum, bitcast<f32>(r.w), through(z, j + 2u), sees_r);
            sum = plus_seen(sum, bitcast<f32>(s.w), through(w, j + 3u), sees_s);
        }
    }
    for (; j + 1u < count; j += 2u) {
        let p = list[j];
        let q = list[j + 1u];
        let sees_p = sees(p, on);
        let sees_q = sees(q, on);
        let x = loaded(select(vec4(on.v), places(p, on), sees_p));
        let y = loaded(select(vec4(on.v), places(q, on), sees_q));
        sum = plus_seen(sum, bitcast<f32>(p.w), through(x, j), sees_p);
        sum = plus_seen(sum, bitcast<f32>(q.w), through(y, j + 1u), sees_q);
    }
    if j < count {
        let p = list[j];
        let sees_p = sees(p, on);
        let x = loaded(select(vec4(on.v), places(p, on), sees_p));
        sum = plus_seen(sum, bitcast<f32>(p.w), through(x, j), sees_p);
    }
    return sum;
}
