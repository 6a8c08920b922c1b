//! Sessions of many random requests, good and bad, of both kinds, over an in-memory stream: each is answered exactly as the
//! model of `testing` predicts, and ends as it predicts.

#[path = "../fuzz/src/lib.rs"]
#[allow(dead_code, reason = "of the targets only the session is used here")]
mod fuzz;

use proptest::prelude::*;
use testing::frames::*;

/// Numbers in the places where sizes, offsets and numbers of segments are: most are good somewhere.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        20 => 0..12_i64,
        8 => (0..1200_i64).prop_map(|x| 8 * x),
        4 => 0..9100_i64,
        1 => any::<i64>(),
        1 => prop_oneof![Just(-1), Just(i64::MAX), Just(i64::MIN), Just(1 << 31), Just(1 << 32)],
    ]
}

fn flags() -> impl Strategy<Value = u32> {
    let known = proptest::sample::subsequence(vec![SINGLE, NO_PIVOTING, ROW_MAJOR, MUST_BE_FINITE, NARROW_IPIV], 0..=5);
    let known = known.prop_map(|flags| flags.iter().sum());
    prop_oneof![30 => known, 1 => any::<u32>()]
}

fn operand() -> impl Strategy<Value = Operand> {
    let in_segment = (1..4_u32, (0..500_usize).prop_map(|x| 8 * x), 0..16_usize)
        .prop_map(|(segment, offset, ld)| Operand::in_segment(segment, offset, ld));
    let any_fields = (0..4_u32, 0..3_u32, number(), number(), prop_oneof![4 => Just(0), 1 => number()])
        .prop_map(|(place, segment, offset, ld, distance)| Operand { place, segment, offset, ld, distance });
    prop_oneof![10 => Just(Operand::PAYLOAD), 20 => in_segment, 2 => any_fields]
}

/// An element, as eight bytes or twice four: most are small whole numbers, so that there are ties and zero pivots.
fn element() -> impl Strategy<Value = [u8; 8]> {
    prop_oneof![
        10 => (-3..4_i8).prop_map(|x| f64::from(x).to_le_bytes()),
        4 => (-1.0..1.0_f64).prop_map(f64::to_le_bytes),
        1 => any::<f64>().prop_map(f64::to_le_bytes),
        1 => any::<[u8; 8]>(),
    ]
}

/// As many bytes of elements as a matrix of this shape has, if it is small.
fn elements(flags: u32, m: i64, n: i64) -> impl Strategy<Value = Vec<u8>> {
    let size = if flags & SINGLE == 0 { 8 } else { 4 };
    let bytes = if (0..65).contains(&m) && (0..13).contains(&n) { (m * n * size) as usize } else { 0 };
    proptest::collection::vec(element(), bytes.div_ceil(8)).prop_map(move |x| x.concat()[..bytes].to_vec())
}

fn version1() -> impl Strategy<Value = Vec<u8>> {
    (0..8_u8, 0..13_i64, 0..13_i64).prop_flat_map(|(command, m, n)| {
        let head = [&[command][..], &m.to_le_bytes(), &n.to_le_bytes()].concat();
        elements(u32::from(command) & SINGLE, m, n).prop_map(move |elements| [&head[..], &elements].concat())
    })
}

fn factor() -> impl Strategy<Value = Vec<u8>> {
    let size = || prop_oneof![30 => 0..13_i64, 1 => number()];
    let cpu = prop_oneof![10 => Just(-1), 1 => -5..2_i32];
    let zero = prop_oneof![40 => Just(0_u32), 1 => any::<u32>()];
    let places = (operand(), prop_oneof![1 => Just(None), 2 => operand().prop_map(Some)], operand());
    (flags(), size(), size(), cpu, zero, places).prop_flat_map(|(flags, m, n, cpu, reserved, (a, lu, ipiv))| {
        // Without a place of their own the factors take that of A.
        let fixed = Factor { flags, threads: 1, m, n, cpu, reserved, operands: [a, lu.unwrap_or(a), ipiv] };
        let sent = if a.place == 1 { elements(flags, m, n).boxed() } else { Just(Vec::new()).boxed() };
        sent.prop_map(move |sent| frame(FACTOR, &[fixed.to_bytes(), sent].concat()))
    })
}

/// An operand of a batch: in the payload, in a part of a segment that no other operand has, or anywhere.
fn operand_of_batch(number: usize) -> impl Strategy<Value = Operand> {
    let part = move |(skipped, ld, distance)| {
        let (segment, part) = (1 + number as u32 % 2, number / 2);
        Operand::of_batch(
            segment,
            part * 2240 + 8 * skipped,
            ld,
            if [2, 5, 6, 7].contains(&number) { 0 } else { distance },
        )
    };
    let own = (0..20_usize, 4..9_usize, 20..70_usize).prop_map(part);
    prop_oneof![10 => Just(Operand::PAYLOAD), 20 => own, 1 => operand(), 1 => Just(Operand::ABSENT)]
}

/// The operands that a command has, with few exceptions.
fn operands_of_batch(command: u8) -> impl Strategy<Value = [Operand; 8]> {
    let each: [_; 8] = std::array::from_fn(|at| operand_of_batch(at).boxed());
    let roles = BATCH_ROLES[usize::from(command - BATCH_FACTOR)];
    let in_place = prop_oneof![1 => Just([false; 2]), 2 => any::<[bool; 2]>()];
    (each, any::<[bool; 8]>(), in_place, 0..50_u8).prop_map(move |(mut operands, wanted, in_place, exception)| {
        for (result, input, in_place) in [(1, 0, in_place[0]), (4, 3, in_place[1])] {
            if in_place && roles[input] == b'i' {
                operands[result] = operands[input];
            }
        }
        for (at, operand) in operands.iter_mut().enumerate() {
            let is_absent = roles[at] == b'.' || roles[at] == b'w' && !wanted[at];
            if is_absent && exception != at as u8 {
                *operand = Operand::ABSENT;
            }
        }
        operands
    })
}

/// Flags of a batch: those that the command defines, with few exceptions.
fn flags_of_batch(command: u8) -> impl Strategy<Value = u32> {
    let defined = match command {
        BATCH_FACTOR => 0x2705,
        BATCH_SOLVE => 0x1f01,
        BATCH_GESV => 0x3f05,
        BATCH_INVERSE => 0x0b05,
        _ => 0x0305,
    };
    let without_check = |flags: u32| if flags & 0x6000_0000 == 0 { flags } else { flags & !MUST_BE_FINITE };
    prop_oneof![40 => any::<u32>().prop_map(move |flags| without_check(flags) & defined), 1 => any::<u32>()]
}

/// Rows for the swaps of a solution, most of them good.
fn swaps(bytes: usize, n: i64, narrow: bool) -> impl Strategy<Value = Vec<u8>> {
    let first = i64::from(!narrow);
    let row = prop_oneof![200 => first..n.max(1) + first, 1 => -1..n + 3];
    let bytes_of =
        move |row: i64| if narrow { (row as i32).to_le_bytes().to_vec() } else { row.to_le_bytes().to_vec() };
    let count = bytes / if narrow { 4 } else { 8 };
    proptest::collection::vec(row.prop_map(bytes_of), count).prop_map(|rows| rows.concat())
}

/// What a batch has in its payload, if it is small.
fn sent(fixed: &Batch) -> impl Strategy<Value = Vec<u8>> + use<> {
    let [count, m, n, nrhs] = fixed.sizes;
    let is_small = [count, m, n, nrhs].iter().all(|size| (0..9).contains(size));
    let is_sent = |at: usize| {
        let roles = BATCH_ROLES[usize::from(fixed.command - BATCH_FACTOR)];
        is_small && roles[at] == b'i' && fixed.operands[at].place == 1
    };
    let narrow = fixed.flags & NARROW_IPIV != 0;
    let length = if is_sent(2) { (count * n * if narrow { 4 } else { 8 }) as usize } else { 0 };
    let a = if is_sent(0) { elements(fixed.flags, count * m, n) } else { elements(fixed.flags, 0, 0) };
    let b = if is_sent(3) { elements(fixed.flags, count * n, nrhs) } else { elements(fixed.flags, 0, 0) };
    (a, swaps(length, n, narrow), b).prop_map(|(a, ipiv, b)| [a, ipiv, b].concat())
}

fn batch() -> impl Strategy<Value = Vec<u8>> {
    let size = |most: i64| prop_oneof![60 => 0..most, 1 => number()];
    let command = BATCH_FACTOR..=BATCH_DET;
    command
        .prop_flat_map(move |command| {
            let zero = prop_oneof![60 => Just(0_u32), 1 => any::<u32>()];
            let sizes = (
                size(6),
                size(7),
                prop_oneof![if command == BATCH_FACTOR { 30 } else { 1 } => size(7).prop_map(Some), 30 => Just(None)],
                size(5),
            );
            let cpu = prop_oneof![10 => Just(-1), 1 => -5..2_i32];
            (Just(command), flags_of_batch(command), sizes, cpu, zero, operands_of_batch(command))
        })
        .prop_flat_map(|(command, flags, (count, m, n, nrhs), cpu, reserved, operands)| {
            let has_b = [BATCH_SOLVE, BATCH_GESV].contains(&command);
            let sizes = [count, m, n.unwrap_or(m), if has_b { nrhs } else { 0 }];
            let fixed = Batch { command, flags, threads: 1, sizes, cpu, reserved, operands };
            sent(&fixed).prop_map(move |sent| fixed.frame(&sent))
        })
}

/// A system: most handles are those of the first factors that a session keeps.
fn system() -> impl Strategy<Value = Vec<u8>> {
    let size = |most: i64| prop_oneof![60 => 0..most, 1 => number()];
    let handle = prop_oneof![3 => Just(0_u32), 4 => 1..6_u32, 1 => 0..40_u32];
    let zero = || prop_oneof![60 => Just(0_u32), 1 => any::<u32>()];
    let steps = prop_oneof![4 => Just(0_u32), 1 => 0..3_u32];
    let each: [_; 4] =
        std::array::from_fn(|at| operand_of_batch(at).prop_map(|at| Operand { distance: 0, ..at }).boxed());
    let wanted = any::<[bool; 3]>();
    (KEEP..=INVERSE, any::<u32>(), (size(6), size(4)), (handle, zero(), steps), each, wanted, 0..40_u8).prop_flat_map(
        |(command, flags, (n, nrhs), (handle, reserved, steps), operands, wanted, exception)| {
            let good = System::in_payload(command, 0, if command == KEEP { 0 } else { handle }, n as usize & 7, 0);
            let solves = command == SOLVE;
            let mut fixed = System { n, reserved, operands, ..good };
            (fixed.nrhs, fixed.steps) = if solves { (nrhs, steps) } else { (0, 0) };
            fixed.flags = if exception == 0 { flags } else { flags & flags_of_system(command, fixed.handle, flags) };
            for (at, operand) in fixed.operands.iter_mut().enumerate() {
                let is_there = if at == 3 { solves && wanted[0] } else { good.operands[at] != Operand::ABSENT };
                if !is_there && exception != 1 + at as u8 {
                    *operand = Operand::ABSENT;
                }
            }
            if solves && wanted[1] {
                fixed.operands[2] = fixed.operands[1];
            }
            if fixed.flags & MIXED != 0 && exception > 1 {
                (fixed.steps, fixed.operands[3]) = (0, Operand::ABSENT);
            }
            let is_small = (0..9).contains(&fixed.n) && (0..9).contains(&fixed.nrhs);
            let sent = |at: usize, columns: i64| {
                let is_sent = is_small && fixed.operands[at].place == 1;
                elements(fixed.flags, if is_sent { fixed.n } else { 0 }, columns)
            };
            (sent(0, fixed.n), sent(1, fixed.nrhs)).prop_map(move |(a, b)| {
                let b = if solves { b } else { Vec::new() };
                let a = if fixed.handle == 0 { a } else { Vec::new() };
                frame(command, &[fixed.to_bytes(), a, b].concat())
            })
        },
    )
}

/// The flags that a system may have, one of those that exclude each other.
fn flags_of_system(command: u8, handle: u32, choice: u32) -> u32 {
    let with_a = if handle == 0 { NO_PIVOTING | ROW_MAJOR } else { 0 };
    let keep = match (handle, command) {
        (0, KEEP) => KEEP_A,
        (0, _) if choice & KEEP_FACTORS != 0 => KEEP_FACTORS | KEEP_A,
        _ => 0,
    };
    let finite = if choice & 0x6000_0000 == 0 { MUST_BE_FINITE } else { 0 };
    let own = match command {
        SOLVE if handle == 0 && choice & 0x1800_0000 == 0 && keep == 0 => {
            return MIXED | ROW_MAJOR | X_ROW_MAJOR | finite;
        }
        SOLVE => X_ROW_MAJOR | TRANSPOSED | BOUNDS,
        CONDITION => INFINITY_NORM,
        INVERSE => X_ROW_MAJOR,
        _ => 0,
    };
    SINGLE | with_a | keep | finite | own
}

/// FILES_FACTOR and FILES_SOLVE. There is no engine for them, so that a good one is refused, too.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let mistake = prop_oneof![3 => Just(None), 1 => (0..9_usize, prop_oneof![0..3_u32, any::<u32>()]).prop_map(Some)];
    let missing = prop_oneof![8 => Just(0), 1 => 1..4_usize];
    (any::<[bool; 3]>(), mistake, missing).prop_map(|([solves, transposed, has_factors], mistake, missing)| {
        let mut files = Files::of("A.npy", if solves { "B.npy" } else { "" }, "X.npy");
        files = if solves && has_factors { files.with_factors("F") } else { files };
        files.fixed[0] = if solves && transposed { TRANSPOSED } else { 0 };
        if let Some((at, value)) = mistake {
            files.fixed[at] = value;
        }
        files.names.truncate(files.names.len() - missing);
        frame(if solves { FILES_SOLVE } else { FILES_FACTOR }, &files.to_bytes())
    })
}

fn map() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![10 => 1..9001_i64, 10 => Just(9000), 2 => number()];
    (prop_oneof![3 => Just(0), 2 => 0..5_u32], 0..8_u32, prop_oneof![9 => 0..2_i32, 1 => -2..9_i32], size).prop_map(
        |(segment, kind, descriptor, size)| {
            let map = match kind {
                0 => Map { flags: 7, ..Map::inherited(descriptor, size) },
                1 => Map { process: 1, ..Map::inherited(descriptor, size) },
                2 | 3 => Map::of_this_process(descriptor, size),
                _ => Map::inherited(descriptor, size),
            };
            Map { segment, ..map }.frame()
        },
    )
}

/// A frame with any payload.
fn other() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just(HELLO),
        Just(PING),
        Just(STATS),
        Just(MAP),
        Just(UNMAP),
        Just(FACTOR),
        KEEP..=RELEASE,
        BATCH_FACTOR..=BATCH_DET,
    ];
    let command = prop_oneof![6 => known, 1 => 0x10..0xff_u8];
    let payload = proptest::collection::vec(any::<u8>(), 0..400);
    (command, payload).prop_map(|(command, payload)| frame(command, &payload))
}

/// What ends a session.
fn last() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![]),
        Just(vec![0xff, 0x20]),
        (8..16_u8).prop_map(|byte| vec![byte; 20]),
        Just([&[0][..], &(-1_i64).to_le_bytes(), &1_i64.to_le_bytes()].concat()),
        (0x10..0xff_u8, (1_u64 << 30) + 1..).prop_map(|(command, length)| head(command, length).to_vec()),
        (factor(), any::<proptest::sample::Index>()).prop_map(|(frame, at)| frame[..at.index(frame.len())].to_vec()),
        (version1(), any::<proptest::sample::Index>()).prop_map(|(frame, at)| frame[..at.index(frame.len())].to_vec()),
    ]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let text = |command| proptest::collection::vec(any::<u8>(), 4..20).prop_map(move |bytes| frame(command, &bytes));
    prop_oneof![
        4 => version1(),
        12 => factor(),
        16 => batch().boxed(),
        16 => system().boxed(),
        2 => (0..6_u32).prop_map(release),
        2 => files(),
        3 => map(),
        1 => (0..5_u32).prop_map(|segment| frame(UNMAP, &segment.to_le_bytes())),
        1 => text(HELLO),
        1 => text(PING),
        1 => Just(frame(PING, &vec![7; (1 << 16) + 1])),
        2 => Just(frame(STATS, &[])),
        2 => other(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_session_goes_as_the_model_says(
        requests in proptest::collection::vec(request(), 0..40),
        last in last(),
    ) {
        // Two segments, so that most of the places exist.
        let segments = [Map::inherited(0, 9000).frame(), Map::of_this_process(1, 8999).frame()].concat();
        fuzz::session(&[segments, requests.concat(), last].concat());
    }
}
