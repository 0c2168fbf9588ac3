# What the scripts share; source it: `. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"`.
# Sets `repo` (root of the checkout) and `tools` (private tools, ignored by git), goes nowhere else.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$repo/.build-tools

# Says what happens; progress goes to standard error so that results can be piped.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail CODE TEXT: ends the script with the reason.
fail() {
    local code=$1
    shift
    say "$*"
    exit "$code"
}

# The folder of the Swift toolchain's own programs (clang, ld.lld, llvm-cov ...), wherever Swift is installed.
swift_tools() {
    local compiler
    compiler=$(command -v swiftc) || fail 1 "no swiftc on the PATH: install Swift 6.2 or newer (https://swift.org/install)"
    # Where the command is a launcher (swiftly), only the compiler itself knows its home.
    local folder
    folder=$(dirname "$(readlink -f "$compiler")")
    if [ ! -x "$folder/ld.lld" ]; then
        folder=$(swiftc -print-target-info | sed -n 's|.*"runtimeResourcePath" *: *"\(.*\)/lib/swift".*|\1/bin|p')
    fi
    [ -x "$folder/ld.lld" ] || fail 1 "no ld.lld beside $compiler: use a toolchain from swift.org"
    printf '%s\n' "$folder"
}

# The Python of the private virtual environment that scripts/setup makes.
tool_python=$tools/venv/bin/python
