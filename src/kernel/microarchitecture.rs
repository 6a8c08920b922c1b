//! Which design of a CPU this is, as far as anything depends on it. An instruction set says what a CPU can do, not how fast.

/// A design of a CPU that something was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Microarchitecture {
    /// AMD's Zen 4: AVX-512 on multipliers of 256 bits.
    Zen4,
    /// Any other.
    Other,
}

impl Microarchitecture {
    /// That of this CPU. It takes some time to ask.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn of_this_cpu() -> Self {
        use std::arch::x86_64::__cpuid;
        #[allow(unused_unsafe)] // it is a safe function in newer versions of Rust
        // SAFETY: every CPU of x86-64 has the instruction.
        let (vendor, version) = unsafe { (__cpuid(0), __cpuid(1).eax) };
        Self::of([vendor.ebx, vendor.edx, vendor.ecx], version)
    }

    /// That of this CPU.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn of_this_cpu() -> Self {
        Microarchitecture::Other
    }

    /// That of a CPU that says of itself who made it, and which version it is (AMD64 Architecture Programmer's Manual, volume 3,
    /// CPUID functions 0 and 1; the models of a family are in AMD's processor programming references).
    #[cfg(any(target_arch = "x86_64", test))]
    fn of(vendor: [u32; 3], version: u32) -> Self {
        let is_amd = vendor.map(u32::to_le_bytes).concat() == b"AuthenticAMD";
        let family = (version >> 8 & 0xf) + (version >> 20 & 0xff);
        let model = (version >> 12 & 0xf0) + (version >> 4 & 0xf);
        match (is_amd, family, model) {
            // The other models of this family are Zen 3.
            (true, 0x19, 0x10..=0x1f | 0x60..=0x7f | 0xa0..=0xaf) => Microarchitecture::Zen4,
            _ => Microarchitecture::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Microarchitecture::{self, Other, Zen4};

    #[test]
    fn a_design_follows_from_the_vendor_the_family_and_the_model() {
        let vendor = |name: &[u8; 12]| [0, 4, 8].map(|i| u32::from_le_bytes(name[i..i + 4].try_into().unwrap()));
        for (name, version, expected) in [
            // EPYC 9004, Ryzen 7000, Ryzen 7040, EPYC 97x4
            (b"AuthenticAMD", 0x00a1_0f11, Zen4),
            (b"AuthenticAMD", 0x00a6_0f12, Zen4),
            (b"AuthenticAMD", 0x00a7_0f41, Zen4),
            (b"AuthenticAMD", 0x00aa_0f02, Zen4),
            // EPYC 7003, EPYC 9005
            (b"AuthenticAMD", 0x00a0_0f11, Other),
            (b"AuthenticAMD", 0x00b0_0f21, Other),
            // the numbers of a Zen 4 by another vendor; Sapphire Rapids
            (b"GenuineIntel", 0x00a1_0f11, Other),
            (b"GenuineIntel", 0x0008_06f8, Other),
        ] {
            assert_eq!(Microarchitecture::of(vendor(name), version), expected, "{version:x}");
        }
    }
}
