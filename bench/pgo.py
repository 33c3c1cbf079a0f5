"""Record which ways the engine takes under load, for the compiler (profile-guided optimisation).

    .venv/bin/python bench/pgo.py

Builds a wheel whose engine counts, puts the loads of `compare.py` on it, and writes the counts to
`media/profile/rustc-<version>.profdata`, with which `make` builds the engine from then on where
that compiler is. Functions that have changed since are compiled as if nothing were known of them,
so it is worth running again after work on the way of a packet. It takes about six minutes, and
needs `rustup component add llvm-tools`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from compare import SCENARIOS
from figures import load_binary, load_summary
from servers import ROOT, start

PROFILES = ROOT / "media" / "profile"


def _rustc(*arguments: str) -> str:
    command = ["rustc", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _merger() -> Path:
    sysroot = Path(_rustc("--print", "sysroot"))
    found = sorted(sysroot.glob("lib/rustlib/*/bin/llvm-profdata"))
    if not found:
        message = "llvm-profdata is not there: rustup component add llvm-tools"
        raise SystemExit(message)
    return found[0]


def _counting_wheel(work: Path) -> Path:
    """The product with an engine that counts, unpacked. Built as `make wheel` does it: a function's
    name contains a hash of how its crate was built."""
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(ROOT / "media" / "target" / "profile"),
        "RUSTFLAGS": "-Cprofile-generate",
        # Programs of the build count too: not what we want.
        "LLVM_PROFILE_FILE": str(work / "build-%m.ignored"),
    }
    command = ["maturin", "build", "--release", "--quiet", "--out", str(work)]
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    (wheel,) = work.glob("*.whl")
    unpacked = work / "wheel"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    return unpacked


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--duration", type=float, default=8.0, help="seconds of each load")
    options = parser.parse_args()
    merger, binary = _merger(), load_binary()
    version = _rustc("--version").split()[1]
    with tempfile.TemporaryDirectory(prefix="profile-") as directory:
        work = Path(directory)
        os.environ["PYTHONPATH"] = str(_counting_wheel(work))
        os.environ["LLVM_PROFILE_FILE"] = str(work / "%p-%m.profraw")
        for name, scenario in SCENARIOS.items():
            if scenario.client != "load":
                continue
            arguments = [*scenario.arguments, "--duration", str(options.duration)]
            if "--ramp" not in arguments:
                arguments += ["--ramp", "1.5"]
            with start("conclave") as server:
                packets = load_summary(binary, server, arguments)["packets"]
            print(f"  {name}: {packets['per_second']:.0f} packets/s", flush=True)
        counts = sorted(str(path) for path in work.glob("*.profraw"))
        if not counts:
            print("nothing was counted: did the servers end in order?")
            return 1
        PROFILES.mkdir(exist_ok=True)
        for old in PROFILES.glob("*.profdata"):
            old.unlink()
        target = PROFILES / f"rustc-{version}.profdata"
        subprocess.run([merger, "merge", "--sparse", "-o", target, *counts], check=True)
    print(f"written: {target.relative_to(ROOT)}, {target.stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
