//! The command byte of the seed frames: a bit field.

/// The element type of a matrix on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// IEEE 754 binary64, 8 bytes.
    Double,
    /// IEEE 754 binary32, 4 bytes.
    Single,
}

impl Precision {
    /// Bytes of one element.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Precision::Double => 8,
            Precision::Single => 4,
        }
    }
}

/// What a request asks for: one of `0x00` to `0x07`.
///
/// ```
/// use recfact::protocol::{Command, Precision};
///
/// let command = Command::from_byte(0x05).unwrap();
/// assert_eq!(command.precision(), Precision::Single);
/// assert!(!command.pivoting() && !command.threaded());
/// assert_eq!(Command::from_byte(0x08), None);
/// assert_eq!(Command::new(Precision::Single, false, false), command);
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
    pub fn new(precision: Precision, threaded: bool, pivoting: bool) -> Command {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let single = bit(precision == Precision::Single, Self::SINGLE);
        Command(single | bit(threaded, Self::THREADED) | bit(!pivoting, Self::NO_PIVOTING))
    }

    /// The command of a byte, if it is one.
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
    pub fn precision(self) -> Precision {
        if self.0 & Self::SINGLE == 0 { Precision::Double } else { Precision::Single }
    }

    /// Bit 1: whether more than one thread may be used.
    #[must_use]
    pub fn threaded(self) -> bool {
        self.0 & Self::THREADED != 0
    }

    /// Bit 2, inverted: whether rows are swapped.
    #[must_use]
    pub fn pivoting(self) -> bool {
        self.0 & Self::NO_PIVOTING == 0
    }
}
