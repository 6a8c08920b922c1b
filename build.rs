//! Links the compiler's support library statically on Linux with glibc, so that the executable needs nothing but the
//! C library.
//!
//! The standard library asks for `-lgcc_s`, the shared one. A linker script of that name, found first, hands out the
//! static one, which is part of every GCC, in its place.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        fs::write(folder.join("libgcc_s.so"), "GROUP ( -lgcc_eh -lgcc )\n").expect("OUT_DIR is writable");
        // For the executable alone: a program that uses the library keeps the unwinder that it has.
        println!("cargo::rustc-link-arg-bins=-L{}", folder.display());
    }
}
