using Streams.Microbench.Ring;

namespace Streams.Microbench.Tests;

/// <summary>A test that needs a ring buffer of the kernel; skipped by probe, with what the kernel said.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelFactAttribute : FactAttribute
{
    public KernelFactAttribute() => Skip = KernelRing.Unavailable();
}
