//! Bytes for people: the layout of `xxd`, without its column of text.

use std::io::{self, Write};

/// Writes 16 bytes a line: the offset, then the bytes in pairs.
pub(super) fn write(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    for (line, bytes) in bytes.chunks(16).enumerate() {
        write!(out, "  {:08x}:", 16 * line)?;
        for (at, byte) in bytes.iter().enumerate() {
            write!(out, "{}{byte:02x}", if at % 2 == 0 { " " } else { "" })?;
        }
        writeln!(out)?;
    }
    Ok(())
}
