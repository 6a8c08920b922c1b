//! Extended frames as a server reads them.

use testing::frames::{Factor, frame, in_payload, in_place, in_segment};

use super::{Seeds, bytes, named, request};
use testing::Kind;

/// FACTOR of a 2 x 2 matrix, all in the payload.
const FACTOR: Factor = Factor { flags: 0, threads: 1, m: 2, n: 2, cpu: -1, zero: 0, operands: [[0; 32]; 3] };

fn factor() -> Factor {
    Factor { operands: [in_payload(); 3], ..FACTOR }
}

/// The payload of a request, without its head and without a matrix.
fn payload(request: Factor) -> Vec<u8> {
    request.frame::<f64>(&[]).split_off(9)
}

fn map(segment: u32, flags: u32, [process, descriptor]: [i32; 2], size: i64) -> Vec<u8> {
    let mut bytes = [segment, flags].map(u32::to_le_bytes).concat();
    bytes.extend([process, descriptor].map(i32::to_le_bytes).concat());
    bytes.extend(size.to_le_bytes());
    bytes
}

/// For the target `frame`: the byte that chooses the parser, and what it reads.
pub fn payloads() -> Seeds {
    let mut seeds = Vec::new();
    let mut push = |kind: u8, name: &str, bytes: &[u8]| seeds.push((name.to_owned(), [&[kind], bytes].concat()));
    for (name, request) in [
        ("factor", factor()),
        ("factor-all-flags", Factor { flags: 0x705, ..factor() }),
        ("factor-cpu", Factor { cpu: 3, ..factor() }),
        ("factor-undefined-flag", Factor { flags: 2, ..factor() }),
        ("factor-zero-field", Factor { zero: 1, ..factor() }),
        ("factor-negative", Factor { m: -1, ..factor() }),
        ("factor-overflow", Factor { m: 1 << 40, n: 1 << 40, ..factor() }),
        ("factor-over-the-limit", Factor { m: 1 << 20, n: 1 << 20, ..factor() }),
        ("factor-narrow-tall", Factor { flags: 0x400, m: 1 << 31, n: 0, ..factor() }),
        ("factor-segments", segments(2)),
        ("factor-place-3", Factor { operands: [in_place(3, 0, 0, 0); 3], ..factor() }),
        ("factor-offset-in-payload", Factor { operands: [in_place(1, 0, 8, 0); 3], ..factor() }),
    ] {
        push(0, name, &payload(request));
    }
    let mut distance = payload(factor());
    distance[56] = 1;
    push(0, "factor-distance", &distance);
    push(0, "factor-short", &distance[..100]);
    for (name, bytes) in [
        ("map-inherited", map(0, 1, [0, 5], 4096)),
        ("map-process", map(0, 0, [77, 5], 4096)),
        ("map-no-process", map(0, 0, [0, 5], 4096)),
        ("map-both", map(0, 1, [7, 5], 4096)),
        ("map-flag", map(0, 2, [0, 5], 4096)),
        ("map-negative-descriptor", map(0, 1, [0, -1], 4096)),
        ("map-no-size", map(0, 1, [0, 5], 0)),
        ("map-negative-size", map(0, 1, [0, 5], -1)),
        ("map-again", map(3, 1, [0, 5], 4096)),
    ] {
        push(1, name, &bytes);
    }
    let numbers = [2_u32.to_le_bytes().to_vec(), [3_u64, 1 << 30].map(u64::to_le_bytes).concat(), vec![2, 0, 0, 0]];
    push(2, "welcome", &[b"RECFACT\0".to_vec(), numbers.concat()].concat());
    push(2, "welcome-of-another", &[0; 32]);
    for (name, offset, ld, numbers) in [
        ("operand", 0, 8, [100, 8, 8, 512]),
        ("operand-outside", 8, 8, [100, 8, 8, 512]),
        ("operand-overflow", u64::MAX - 7, 1 << 63, [100, 8, 8, 512]),
        ("operand-short-ld", 0, 7, [100, 8, 8, 4096]),
        ("operand-misaligned", 4, 8, [100, 8, 8, 4096]),
        ("operand-empty", 3, 0, [100, 0, 8, 0]),
        ("operand-one-column", 0, 0, [100, 8, 1, 64]),
        ("payload-too-long", 0, 8, [1 << 31, 8, 8, 512]),
    ] {
        push(3, name, &[&in_segment(1, offset, ld)[..], &numbers.map(i64::to_le_bytes).concat()].concat());
    }
    seeds
}

fn segments(ld: u64) -> Factor {
    Factor { operands: [in_segment(1, 0, ld), in_segment(1, 64, ld), in_segment(2, 0, 0)], ..factor() }
}

/// For the target `session`.
pub fn sessions() -> Seeds {
    let (a, nan) = ([4.0, 6.0, 3.0, 3.0], [4.0, f64::NAN, 3.0, 3.0]);
    let good = factor().frame(&a);
    let row = Factor { flags: 5, m: 1, n: 3, ..factor() };
    named([
        ("frame-hello", frame(0x10, &[&2_u32.to_le_bytes()[..], b"seed"].concat())),
        ("frame-hello-short", frame(0x10, b"ab")),
        ("frame-ping", [frame(0x11, b"hi"), vec![0xff]].concat()),
        ("frame-stats", frame(0x12, &[])),
        ("frame-map", frame(0x18, &map(0, 1, [0, 900], 4096))),
        ("frame-unmap", frame(0x19, &[1, 0, 0, 0])),
        ("frame-factor", good.clone()),
        ("frame-factor-rows-narrow", Factor { flags: 0x700, ..factor() }.frame(&a).repeat(2)),
        ("frame-factor-nan", [Factor { flags: 0x200, ..factor() }.frame(&nan), frame(0x11, &[])].concat()),
        ("frame-factor-f32-none", row.frame(&[1.0_f32, 2.0, 3.0])),
        ("frame-factor-short", factor().frame(&a[..3])),
        ("frame-factor-segment", segments(2).frame::<f64>(&[])),
        ("frame-unknown-then-version-1", [frame(0x7f, &[7; 300]), request(0, Kind::Uniform, 1, 1)].concat()),
        ("frame-too-long", [vec![0x7f], bytes(&[1e300])].concat()),
        ("frame-end-in-head", vec![0x10, 1, 0]),
        ("frame-end-in-payload", good[..150].to_vec()),
        ("frame-empty-matrix", Factor { m: 0, n: 3, ..factor() }.frame::<f64>(&[])),
    ])
}
