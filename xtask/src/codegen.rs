//! `cargo xtask codegen`: what the facade compiles to is what hand-written atomics compile to.
//!
//! Two comparisons of `weakest/examples/codegen.rs`: the machine code of each pair of functions, labels and names
//! aside; and its atomic instructions in LLVM's intermediate form, where the ordering shows that x86 hides.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Outcome, run};

/// What is compared: `facade_X` with `hand_X`.
const PAIRS: &[&str] = &["poll", "lock", "contended", "unlock", "drop"];

/// Functions that both sides call, each its own: `lock` calls the last, which is the pair `contended`.
const CALLED: &[&str] = &["snooze", "wait_replace_contended"];

/// A folder of its own keeps other builds' output away. Static code calls functions of this crate and of others in the
/// same way.
const BUILD: &str = "cargo rustc --quiet --release -p weakest --example codegen --target-dir target/codegen -- \
                     --emit asm,llvm-ir -C codegen-units=1 -C debuginfo=0 -C relocation-model=static";

pub(crate) fn codegen() -> Outcome {
    let folder = rescind_models::root().join("target/codegen/release/examples");
    // Left-overs of another compiler would be found beside the new files.
    let _ = fs::remove_dir_all(&folder);
    run(BUILD)?;
    let assembly = functions_of_assembly(&read(&folder, "s")?);
    let intermediate = functions_of_llvm(&read(&folder, "ll")?);
    for pair in PAIRS {
        equal(pair, "machine code", &assembly)?;
        equal(pair, "atomic instructions", &intermediate)?;
    }
    println!("the facade's machine code is that of hand-written atomics: {}", PAIRS.join(", "));
    Ok(())
}

/// Bodies by function, normalised.
type Functions = BTreeMap<String, Vec<String>>;

fn equal(pair: &str, what: &str, functions: &Functions) -> Outcome {
    let body = |side: &str| {
        let name = format!("{side}_{pair}");
        functions.get(&name).filter(|body| !body.is_empty()).ok_or_else(|| format!("no {what} of `{name}` was found"))
    };
    let (facade, hand) = (body("facade")?, body("hand")?);
    if facade == hand {
        return Ok(());
    }
    let (facade, hand) = (facade.join("\n  "), hand.join("\n  "));
    Err(format!("the {what} of `{pair}` differ\nthrough the facade:\n  {facade}\nby hand:\n  {hand}"))
}

fn read(folder: &Path, extension: &str) -> Result<String, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("nothing was built: {e}"))?;
    let paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let file = paths.iter().find(|path| path.extension().is_some_and(|found| found == extension));
    let file = file.ok_or_else(|| format!("the build left no .{extension} file"))?;
    fs::read_to_string(file).map_err(|e| e.to_string())
}

/// The plain name of a mangled function of the example.
fn plain_name(symbol: &str) -> Option<String> {
    if called(symbol) == Some("wait_replace_contended") {
        let side = if symbol.contains("7codegen") { "hand" } else { "facade" };
        return Some(format!("{side}_contended"));
    }
    let sides = PAIRS.iter().flat_map(|pair| [format!("facade_{pair}"), format!("hand_{pair}")]);
    sides.into_iter().find(|name| symbol.contains(&format!("{}{name}", name.len())))
}

/// Which of the functions that both sides call this is.
fn called(symbol: &str) -> Option<&'static str> {
    CALLED.iter().copied().find(|name| symbol.contains(&format!("{}{name}", name.len())))
}

/// Functions of an assembly file. One that the compiler found equal to another is an alias of it: `a = b`.
fn functions_of_assembly(text: &str) -> Functions {
    let mut functions = Functions::new();
    let mut current: Option<(String, Vec<&str>)> = None;
    for line in text.lines() {
        if let Some((alias, function)) = line.split_once(" = ")
            && let (Some(alias), Some(function)) = (plain_name(alias), plain_name(function))
        {
            let body = functions.get(&function).cloned().unwrap_or_default();
            functions.insert(alias, body);
        } else if let Some(label) = line.strip_suffix(':').filter(|label| !label.starts_with('.')) {
            current = plain_name(label).map(|name| (name, Vec::new()));
        } else if line.starts_with(".Lfunc_end") {
            if let Some((name, body)) = current.take() {
                functions.insert(name, without_names(&body));
            }
        } else if let Some((_, body)) = &mut current
            && (line.starts_with(".L") || !line.trim_start().starts_with(['.', '#']))
        {
            body.push(line);
        }
    }
    functions
}

/// Local labels numbered as they come, and functions by the last part of their names.
fn without_names(body: &[&str]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    let mut word = |word: &str| {
        let (stem, colon) = word.strip_suffix(':').map_or((word, ""), |stem| (stem, ":"));
        if stem.starts_with(".L") {
            let known = labels.iter().position(|label| label == stem).unwrap_or_else(|| {
                labels.push(stem.to_owned());
                labels.len() - 1
            });
            return format!("L{known}{colon}");
        }
        called(stem).filter(|_| stem.starts_with("_ZN")).unwrap_or(word).to_owned()
    };
    body.iter().map(|line| line.split_whitespace().map(&mut word).collect::<Vec<_>>().join(" ")).collect()
}

/// The atomic instructions of each function of an LLVM file, without the names of values. Sorted: blocks stand in no
/// particular order there, and the machine code is compared in its own.
fn functions_of_llvm(text: &str) -> Functions {
    let mut functions = Functions::new();
    let mut aliases = Vec::new();
    let mut current: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        if line.starts_with('@')
            && let Some((alias, rest)) = line.split_once(" alias ")
        {
            aliases.extend(plain_name(alias).zip(plain_name(rest)));
        } else if line.starts_with("define ") {
            let symbol = line.split('@').nth(1).unwrap_or_default();
            current = plain_name(symbol.split('(').next().unwrap_or_default()).map(|name| (name, Vec::new()));
        } else if line == "}" {
            if let Some((name, mut body)) = current.take() {
                body.sort();
                functions.insert(name, body);
            }
        } else if let Some((_, body)) = &mut current
            && is_atomic(line)
        {
            let instruction = line.split(", !").next().unwrap_or_default();
            let words = instruction.split_whitespace().map(|word| if word.starts_with('%') { "%" } else { word });
            body.push(words.collect::<Vec<_>>().join(" "));
        }
    }
    for (alias, function) in aliases {
        let body = functions.get(&function).cloned().unwrap_or_default();
        functions.insert(alias, body);
    }
    functions
}

fn is_atomic(line: &str) -> bool {
    ["load atomic", "store atomic", "cmpxchg", "atomicrmw", "fence "].iter().any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{equal, functions_of_assembly, functions_of_llvm};

    const ASSEMBLY: &str = "\
_ZN7codegen11facade_poll17h1E:
\t.cfi_startproc
\tmovl\t(%rdi), %eax
\tje\t.LBB0_2
.LBB0_2:
\tcallq\t_ZN7weakest6native7Backoff6snooze17h2E
\tretq
.Lfunc_end0:
_ZN7codegen9hand_poll17h3E:
\tmovl\t(%rdi), %eax
\tje\t.LBB7_9
.LBB7_9:
\tcallq\t_ZN7codegen6snooze17h4E
\tretq
.Lfunc_end1:
_ZN7codegen13facade_unlock17h5E = _ZN7codegen9hand_poll17h3E
";

    #[test]
    fn labels_and_names_do_not_matter_and_instructions_do() {
        assert_eq!(equal("poll", "machine code", &functions_of_assembly(ASSEMBLY)), Ok(()));
        let other = ASSEMBLY.replacen("movl", "xchgl", 1);
        assert!(equal("poll", "machine code", &functions_of_assembly(&other)).is_err_and(|e| e.contains("xchgl")));
        let jumps = ASSEMBLY.replacen("je\t.LBB0_2", "je\t.LBB0_3", 1);
        assert!(equal("poll", "machine code", &functions_of_assembly(&jumps)).is_err());
    }

    #[test]
    fn an_alias_is_the_same_function_and_a_missing_one_is_an_error() {
        let functions = functions_of_assembly(ASSEMBLY);
        assert_eq!(functions["facade_unlock"], functions["hand_poll"]);
        assert!(equal("drop", "machine code", &functions).is_err_and(|e| e.contains("was found")));
    }

    const LLVM: &str = "\
define noundef zeroext i1 @_ZN7codegen11facade_poll17h1E(ptr %word) unnamed_addr #0 {
start:
  %_2 = load atomic i32, ptr %word acquire, align 4
  ret i1 %_2
}
define noundef zeroext i1 @_ZN7codegen9hand_poll17h3E(ptr %w) unnamed_addr #0 {
  %v = load atomic i32, ptr %w acquire, align 4, !noundef !3
  ret i1 %v
}
";

    #[test]
    fn orderings_are_compared_where_they_show() {
        assert_eq!(equal("poll", "atomic instructions", &functions_of_llvm(LLVM)), Ok(()));
        let weaker = LLVM.replacen("acquire", "monotonic", 1);
        assert!(
            equal("poll", "atomic instructions", &functions_of_llvm(&weaker)).is_err_and(|e| e.contains("acquire"))
        );
    }
}
