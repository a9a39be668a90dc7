using System.Reflection;
using BenchmarkDotNet.Attributes;
using Streams.Microbench.Ring;

namespace Streams.Microbench.Allocations;

/// <summary>One benchmark method: returns <see cref="long"/> when it runs on the calling thread, <see cref="Task"/> when on others.</summary>
internal sealed class BenchmarkCase(MethodInfo method, int operationsPerInvoke)
{
    private const int WarmUp = 3;
    private const int Invocations = 10;

    /// <summary>Folder, class and method, as in the budgets.</summary>
    public string Name { get; } = $"{method.DeclaringType!.Namespace!["Streams.Microbench.".Length..]}.{method.DeclaringType.Name}.{method.Name}";

    public Type Type => method.DeclaringType!;

    public bool NeedsKernel => Type == typeof(RingRead);

    /// <summary>Why it cannot run here; null when it can.</summary>
    public string? Unavailable() => NeedsKernel ? KernelRing.Unavailable() : null;

    /// <summary>
    /// Bytes of managed memory that an operation allocates once it is warm, rounded to the nearest: on the calling thread, or for asynchronous ones in the
    /// whole process. The least of several invocations: what a pool of arrays had just not at hand, or another thread did meanwhile, only ever adds.
    /// </summary>
    public async Task<long> AllocatedAsync()
    {
        var instance = Activator.CreateInstance(Type)!;
        Run(instance, typeof(GlobalSetupAttribute));
        try
        {
            var least = long.MaxValue;
            for (var i = -WarmUp; i < Invocations; i++)
            {
                Run(instance, typeof(IterationSetupAttribute));
                var bytes = await InvokeAsync(instance).ConfigureAwait(false);
                least = i < 0 ? least : Math.Min(least, bytes);
            }

            return (long)Math.Round((double)least / operationsPerInvoke, MidpointRounding.AwayFromZero);
        }
        finally
        {
            Run(instance, typeof(GlobalCleanupAttribute));
        }
    }

    /// <returns>Bytes that one invocation allocated.</returns>
    private async Task<long> InvokeAsync(object instance)
    {
        if (method.ReturnType == typeof(long))
        {
            var invoke = method.CreateDelegate<Func<long>>(instance);
            var before = GC.GetAllocatedBytesForCurrentThread();
            _ = invoke();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        var start = method.CreateDelegate<Func<Task>>(instance);
        var all = GC.GetTotalAllocatedBytes(precise: true);
        await start().ConfigureAwait(false);
        return GC.GetTotalAllocatedBytes(precise: true) - all;
    }

    private static void Run(object instance, Type attribute)
    {
        foreach (var found in instance.GetType().GetMethods().Where(candidate => candidate.IsDefined(attribute)))
        {
            found.Invoke(instance, null);
        }
    }
}
