//! Computes `DIGEST`: what the extension is built from, so that a stale one can be told. The same
//! rule in Python: src/conclave/media/digest.py.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

const CRATES: [&str; 3] = ["engine", "python", "sfu"];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let root = here.parent().expect("media/python is in media").to_owned();
    let mut files = vec![root.join("Cargo.lock"), root.join("Cargo.toml")];
    for name in CRATES {
        files.push(root.join(name).join("Cargo.toml"));
        files.push(root.join(name).join("build.rs"));
        collect(&root.join(name).join("src"), &mut files)?;
    }
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        entries.push((relative(file, &root), fs::read(file)?));
    }
    entries.sort();
    let mut digest = Sha256::new();
    for (name, content) in entries {
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update((content.len() as u64).to_le_bytes());
        digest.update(&content);
    }
    println!(
        "cargo::rustc-env=CONCLAVE_MEDIA_DIGEST={:x}",
        digest.finalize()
    );
    for watched in ["Cargo.toml", "Cargo.lock", "engine", "python", "sfu"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn relative(file: &Path, root: &Path) -> String {
    let parts = file.strip_prefix(root).expect("collected below root");
    let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
