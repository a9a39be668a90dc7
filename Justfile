# Streams: from kernel events to ClickHouse rows. `./justw` lists the recipes.

set shell := ["sh", "-eu", "-c"]
set positional-arguments

export DOTNET_CLI_TELEMETRY_OPTOUT := "1"
export DOTNET_NOLOGO := "1"

streams := "dotnet streams/Streams.Host/bin/Release/net10.0/streams.dll"
bench := "dotnet bench/Streams.Bench/bin/Release/net10.0/Streams.Bench.dll"

# List the recipes
default:
    @"{{ just_executable() }}" --list --unsorted

# Install what is missing on this machine (Debian packages, libchdb), nothing else; --peers: also syslog-ng, for `bench limits`
setup *args:
    @eng/setup "$@"

# Build everything in Release, the native agent included
build: setup
    @eng/build

# Start Streams on this machine: NATS, ClickHouse, gateway, worker and, as root, the agent
up *args: build
    @exec {{ streams }} up "$@"

# Run any `streams` command, for example: ./justw streams sql "SELECT 1"
streams *args: build
    @exec {{ streams }} "$@"

# Prove the path: 500 processes and 200 connections become rows, each exactly once
demo *args: build
    @exec {{ bench }} demo "$@"

# Measure a case (--list names them; smoke takes a minute), or limits: our parts beside memcpy, the driver, bare loops and syslog-ng
bench *args: build
    @exec {{ bench }} "$@"

# Time and bytes of each hop alone, for example: ./justw microbench --filter Wire; budgets of bytes: ./justw test Microbench
microbench *args: build
    @exec dotnet bench/Streams.Microbench/bin/Release/net10.0/Streams.Microbench.dll times "$@"

# Faults under load and the verdict of the checkers, for example: ./justw chaos --faults 200 --seed 7 --rate 20000 --disk-mib 6144 --worker-apart
chaos *args: build
    @exec {{ bench }} chaos "$@"

# Run all tests, or those of the projects whose name contains one of the arguments
test *args: build
    @eng/test "$@"

# Throw changed inputs at every parser, for example: ./justw fuzz --seconds 60 --target batch; or guided by coverage: --engine afl --target batch
fuzz *args: build
    @eng/fuzz "$@"

# Check formatting and style of C# and BPF C
style:
    @eng/style

# Apply formatting
format:
    dotnet format Streams.sln
    clang-format -i agent-native/bpf/*.c agent-native/bpf/*.h

# What CI runs: style checks, the shortest case of the bench (ratios only), then the tests
ci: setup style build
    @{{ bench }} smoke
    @"{{ just_executable() }}" test

# Remove what builds produced; data directories stay
clean:
    git clean -xdfq -e node_modules -- agent-native bench gateway storage streams tests
