//! Builds the C++ peer, where there is a compiler for it.

fn main() {
    const FILE: &str = "src/stop_token/stop_token.cpp";
    println!("cargo::rerun-if-changed={FILE}");
    println!("cargo::rustc-check-cfg=cfg(std_stop_token)");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++20").opt_level(3).warnings(true).cargo_warnings(false).file(FILE);
    match build.try_compile("stop_token") {
        Ok(()) => println!("cargo::rustc-cfg=std_stop_token"),
        Err(_) => println!("cargo::warning=no C++20 compiler with <stop_token>: std::stop_token is not measured"),
    }
}
