using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using LibbpfSharp.Btf;
using LibbpfSharp.Handles;
using LibbpfSharp.Interop;
using LibbpfSharp.Probes;

namespace LibbpfSharp.Tests;

/// <summary>The structs of the imports against the C headers and the kernel's BTF.</summary>
public sealed class InteropLayoutTests : KernelTest
{
    [Fact]
    public void Option_structs_are_those_of_libbpfs_headers()
    {
        var fields = new List<(Type Type, string Field)>();
        foreach (var type in new[]
        {
            typeof(Libbpf.bpf_object_open_opts), typeof(Libbpf.bpf_map_create_opts), typeof(Libbpf.bpf_prog_load_opts), typeof(Libbpf.bpf_test_run_opts),
        })
        {
            const System.Reflection.BindingFlags all = System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic;
            fields.AddRange(type.GetFields(all).Select(field => (type, field.Name)));
        }
        Assert.True(fields.Count > 30);
        var lines = fields.Select(item => $"printf(\"%zu\\n\", offsetof(struct {item.Type.Name}, {item.Field}));");
        var offsets = RunC(string.Join('\n', lines));
        foreach (var ((type, field), offset) in fields.Zip(offsets))
        {
            Assert.True(Marshal.OffsetOf(type, field) == offset, $"{type.Name}.{field}: {offset} in the header");
        }
    }

    [Fact]
    public void Option_structs_have_the_size_of_libbpfs_headers()
    {
        var sizes = RunC("""
            printf("%zu %zu\n", sizeof(struct bpf_object_open_opts), sizeof(struct bpf_prog_load_opts));
            printf("%zu %zu\n", sizeof(struct bpf_map_create_opts), sizeof(struct bpf_test_run_opts));
            """);
        int[] ours =
        [
            Marshal.SizeOf<Libbpf.bpf_object_open_opts>(), Marshal.SizeOf<Libbpf.bpf_prog_load_opts>(),
            Marshal.SizeOf<Libbpf.bpf_map_create_opts>(), Marshal.SizeOf<Libbpf.bpf_test_run_opts>(),
        ];
        // Equal in 1.1. Later versions append fields; sz says where ours end.
        Assert.All(ours.Zip(sizes), pair => Assert.True(KernelProbe.LibbpfVersion == new Version(1, 1) ? pair.First == pair.Second : pair.First <= pair.Second));
    }

    [Theory]
    [InlineData("Id", "id")]
    [InlineData("RunTimeNs", "run_time_ns")]
    [InlineData("RunCount", "run_cnt")]
    [InlineData("RecursionMisses", "recursion_misses")]
    [InlineData("VerifiedInstructions", "verified_insns")]
    public void Program_info_is_that_of_the_kernel(string field, string native)
    {
        using var kernel = KernelTypes.Load();
        var offset = kernel.FindStruct("bpf_prog_info")!.Fields.Single(item => item.Name == native).Offset;
        Assert.Equal(offset, (int)Marshal.OffsetOf<ProgramInfo.bpf_prog_info>(field));
    }

    [Theory]
    [InlineData("Type", "type")]
    [InlineData("Id", "id")]
    [InlineData("KeySize", "key_size")]
    [InlineData("ValueSize", "value_size")]
    [InlineData("MaxEntries", "max_entries")]
    public void Map_info_is_that_of_the_kernel(string field, string native)
    {
        using var kernel = KernelTypes.Load();
        var offset = kernel.FindStruct("bpf_map_info")!.Fields.Single(item => item.Name == native).Offset;
        Assert.Equal(offset, (int)Marshal.OffsetOf<MapInfo.bpf_map_info>(field));
    }

    [Theory]
    [InlineData("Type", "type")]
    [InlineData("Id", "id")]
    [InlineData("ProgramId", "prog_id")]
    public void Link_info_is_that_of_the_kernel(string field, string native)
    {
        using var kernel = KernelTypes.Load();
        var offset = kernel.FindStruct("bpf_link_info")!.Fields.Single(item => item.Name == native).Offset;
        Assert.Equal(offset, (int)Marshal.OffsetOf<LinkInfo.bpf_link_info>(field));
    }

    [Fact]
    public void Kernel_types_that_do_not_exist_are_null()
    {
        using var kernel = KernelTypes.Load();
        Assert.Null(kernel.FindStruct("no_such_struct"));
    }

    private static List<int> RunC(string body)
    {
        var directory = Directory.CreateTempSubdirectory("interop-").FullName;
        try
        {
            var source = Path.Combine(directory, "layout.c");
            File.WriteAllText(source, $$"""
                #include <stddef.h>
                #include <stdio.h>
                #include <bpf/bpf.h>
                #include <bpf/libbpf.h>
                int main(void) { {{body}} return 0; }
                """);
            using (var compiler = Process.Start("clang", ["-o", Path.Combine(directory, "layout"), source]))
            {
                compiler.WaitForExit();
                Assert.Equal(0, compiler.ExitCode);
            }
            using var program = Process.Start(new ProcessStartInfo(Path.Combine(directory, "layout")) { RedirectStandardOutput = true })!;
            var output = program.StandardOutput.ReadToEnd();
            return [.. output.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
