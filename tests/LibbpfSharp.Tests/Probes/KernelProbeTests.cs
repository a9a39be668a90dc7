using LibbpfSharp.Probes;

namespace LibbpfSharp.Tests.Probes;

/// <summary>Probes give the same answers as doing the thing. What this kernel must give is what the sensor needs.</summary>
public sealed class KernelProbeTests : KernelTest
{
    [Fact]
    public void The_sensors_needs_are_met()
    {
        Assert.True(KernelProbe.HasKernelBtf);
        Assert.True(KernelProbe.ProgramType(BpfProgramType.RawTracepoint).Supported);
        Assert.True(KernelProbe.ProgramType(BpfProgramType.CgroupSockAddr).Supported);
        Assert.True(KernelProbe.ProgramType(BpfProgramType.Xdp).Supported);
        Assert.True(KernelProbe.MapType(BpfMapType.RingBuf).Supported);
        Assert.True(KernelProbe.MapType(BpfMapType.SkStorage).Supported);
        foreach (var target in new[] { "sched_process_exec", "sched_process_exit", "inet_sock_set_state" })
        {
            Assert.True(KernelProbe.CanAttach(AttachPoint.BtfTracepoint, target).Supported);
        }
        Assert.True(KernelProbe.CanAttach(AttachPoint.RawTracepoint, "sched_process_exec").Supported);
    }

    [Fact]
    public void What_does_not_exist_is_not_supported()
    {
        Assert.False(KernelProbe.ProgramType((BpfProgramType)4000).Supported);
        Assert.False(KernelProbe.MapType((BpfMapType)4000).Supported);
        Assert.False(KernelProbe.Helper(BpfProgramType.Xdp, 4000).Supported);
        var absent = KernelProbe.CanAttach(AttachPoint.BtfTracepoint, "no_such_tracepoint");
        Assert.False(absent.Supported);
        Assert.Equal(2, absent.Errno); // ENOENT
        Assert.Contains("no_such_tracepoint", absent.Detail);
    }

    [Fact]
    public void Helpers_are_told_apart_by_program_type()
    {
        const uint mapLookupElem = 1;
        const uint xdpAdjustHead = 44;
        const uint skStorageGet = 107;
        Assert.True(KernelProbe.Helper(BpfProgramType.Xdp, mapLookupElem).Supported);
        Assert.True(KernelProbe.Helper(BpfProgramType.Xdp, xdpAdjustHead).Supported);
        Assert.False(KernelProbe.Helper(BpfProgramType.SocketFilter, xdpAdjustHead).Supported);
        Assert.True(KernelProbe.Helper(BpfProgramType.Tracing, skStorageGet).Supported);
        Assert.False(KernelProbe.Helper(BpfProgramType.Tracing, xdpAdjustHead).Supported);
    }

    [Theory]
    [InlineData(AttachPoint.FunctionEntry, "do_unlinkat")]
    [InlineData(AttachPoint.FunctionExit, "do_unlinkat")]
    [InlineData(AttachPoint.Lsm, "file_open")]
    public void A_refusal_has_an_errno_and_a_reason(AttachPoint point, string target)
    {
        // Kernels differ here, which is what the probe is for; a refusal must say why.
        var result = KernelProbe.CanAttach(point, target);
        Assert.Equal(result.Supported, result.Errno == 0);
        Assert.Contains(target, result.Detail);
        if (!result.Supported)
        {
            Assert.Contains("refused", result.Detail);
        }
    }

    [Fact]
    public void Capabilities_are_those_of_the_process()
    {
        var capabilities = Capabilities.Read();
        Assert.True(capabilities.Bpf);
        Assert.True(capabilities.Perfmon);
        Assert.False(new Capabilities(0).Bpf);
    }

    [Fact]
    public void Libbpf_says_its_version() => Assert.True(KernelProbe.LibbpfVersion >= new Version(1, 1));
}
