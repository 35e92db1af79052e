//! Compiles the `.proto` files into Rust types and a descriptor set; needs no `protoc`.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=steward");

    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true).open_files(proto_files(Path::new("steward"))?)?;

    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("descriptor.binpb"), compiler.encode_file_descriptor_set())?;
    prost_build::Config::new().enable_type_names().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Every `.proto` file below the folder, sorted, so that the same sources give the same bytes everywhere.
fn proto_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
