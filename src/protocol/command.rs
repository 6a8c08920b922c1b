//! The command byte: a bit field in the version 1 frames, a number in the extended ones.

use super::batch_operand::BatchKind;
use super::element::ElementType;
use super::files_kind::FilesKind;
use super::system_operand::SystemKind;
use crate::pivoting::Pivoting;

/// What a request asks for: one of the bytes `0x00` to `0x07`.
///
/// ```
/// use recfact::Pivoting;
/// use recfact::protocol::{Command, ElementType};
///
/// let command = Command::from_byte(0x05).unwrap();
/// assert_eq!((command.element(), command.pivoting()), (ElementType::F32, Pivoting::None));
/// assert!(!command.is_threaded());
/// assert_eq!(Command::from_byte(0x08), None);
/// assert_eq!(Command::new(ElementType::F32, false, Pivoting::None), command);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command(u8);

impl Command {
    const SINGLE: u8 = 1 << 0;
    const THREADED: u8 = 1 << 1;
    const NO_PIVOTING: u8 = 1 << 2;
    const KNOWN: u8 = Self::SINGLE | Self::THREADED | Self::NO_PIVOTING;

    /// Every command and its name on the command line.
    pub const NAMES: [(&'static str, Command); 8] = [
        ("f64", Command(0x00)),
        ("f32", Command(0x01)),
        ("f64-threaded", Command(0x02)),
        ("f32-threaded", Command(0x03)),
        ("f64-nopiv", Command(0x04)),
        ("f32-nopiv", Command(0x05)),
        ("f64-threaded-nopiv", Command(0x06)),
        ("f32-threaded-nopiv", Command(0x07)),
    ];

    /// The command that asks for this.
    #[must_use]
    pub fn new(element: ElementType, threaded: bool, pivoting: Pivoting) -> Command {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let single = bit(element == ElementType::F32, Self::SINGLE);
        Command(single | bit(threaded, Self::THREADED) | bit(pivoting == Pivoting::None, Self::NO_PIVOTING))
    }

    /// The command with a name on the command line, if there is one.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Command> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, command)| command)
    }

    /// The command with this byte, if there is one.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Command> {
        (byte & !Self::KNOWN == 0).then_some(Command(byte))
    }

    /// Its byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }

    /// Bit 0: the element type.
    #[must_use]
    pub fn element(self) -> ElementType {
        if self.0 & Self::SINGLE == 0 { ElementType::F64 } else { ElementType::F32 }
    }

    /// Bit 1: whether more than one thread may be used.
    #[must_use]
    pub fn is_threaded(self) -> bool {
        self.0 & Self::THREADED != 0
    }

    /// Bit 2: where pivots come from.
    #[must_use]
    pub fn pivoting(self) -> Pivoting {
        if self.0 & Self::NO_PIVOTING == 0 { Pivoting::Partial } else { Pivoting::None }
    }
}

/// What an extended frame asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameCommand {
    /// Who is there, and what can it do.
    Hello,
    /// The same bytes come back.
    Ping,
    /// What the session has done.
    Stats,
    /// Map memory of the client.
    Map,
    /// Forget it.
    Unmap,
    /// P A = L U.
    Factor,
    /// One matrix, or kept factors.
    System(SystemKind),
    /// Forget kept factors.
    Release,
    /// Many matrices of one shape.
    Batch(BatchKind),
    /// Matrices in files, for an engine of many processes.
    Files(FilesKind),
}

impl FrameCommand {
    /// Every command, in the order of their bytes.
    pub const ALL: [FrameCommand; 19] = [
        FrameCommand::Hello,
        FrameCommand::Ping,
        FrameCommand::Stats,
        FrameCommand::Map,
        FrameCommand::Unmap,
        FrameCommand::Factor,
        FrameCommand::System(SystemKind::Keep),
        FrameCommand::System(SystemKind::Solve),
        FrameCommand::System(SystemKind::Condition),
        FrameCommand::System(SystemKind::Determinant),
        FrameCommand::System(SystemKind::Inverse),
        FrameCommand::Release,
        FrameCommand::Batch(BatchKind::Factor),
        FrameCommand::Batch(BatchKind::Solve),
        FrameCommand::Batch(BatchKind::Gesv),
        FrameCommand::Batch(BatchKind::Inverse),
        FrameCommand::Batch(BatchKind::Det),
        FrameCommand::Files(FilesKind::Factor),
        FrameCommand::Files(FilesKind::Solve),
    ];

    /// Its byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            FrameCommand::Hello => 0x10,
            FrameCommand::Ping => 0x11,
            FrameCommand::Stats => 0x12,
            FrameCommand::Map => 0x18,
            FrameCommand::Unmap => 0x19,
            FrameCommand::Factor => 0x20,
            FrameCommand::System(SystemKind::Keep) => 0x30,
            FrameCommand::System(SystemKind::Solve) => 0x31,
            FrameCommand::System(SystemKind::Condition) => 0x32,
            FrameCommand::System(SystemKind::Determinant) => 0x33,
            FrameCommand::System(SystemKind::Inverse) => 0x34,
            FrameCommand::Release => 0x35,
            FrameCommand::Batch(BatchKind::Factor) => 0x40,
            FrameCommand::Batch(BatchKind::Solve) => 0x41,
            FrameCommand::Batch(BatchKind::Gesv) => 0x42,
            FrameCommand::Batch(BatchKind::Inverse) => 0x43,
            FrameCommand::Batch(BatchKind::Det) => 0x44,
            FrameCommand::Files(FilesKind::Factor) => 0x50,
            FrameCommand::Files(FilesKind::Solve) => 0x51,
        }
    }

    /// The name of its kind in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FrameCommand::Hello => "hello",
            FrameCommand::Ping => "ping",
            FrameCommand::Stats => "stats",
            FrameCommand::Map => "map",
            FrameCommand::Unmap => "unmap",
            FrameCommand::Factor => "factor",
            FrameCommand::System(_) => "system",
            FrameCommand::Release => "release",
            FrameCommand::Batch(_) => "batch",
            FrameCommand::Files(_) => "files",
        }
    }

    /// The command with this byte, if there is one.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.byte() == byte)
    }
}
