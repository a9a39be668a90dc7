using System.Reflection;
using BenchmarkDotNet.Attributes;
using Streams.Microbench.Ring;

namespace Streams.Microbench.Allocations;

/// <summary>One benchmark method: returns <see cref="long"/> when it runs on the calling thread, <see cref="Task"/> when on others.</summary>
internal sealed class BenchmarkCase(MethodInfo method, int operationsPerInvoke)
{
    private const int WarmUp = 3;

    /// <summary>Invocations that are measured: enough operations that a single stray object does not make a byte of each.</summary>
    private const int Invocations = 5;

    private const int SmallestOperations = 1000;

    /// <summary>Folder, class and method, as in the budgets.</summary>
    public string Name { get; } = $"{method.DeclaringType!.Namespace!["Streams.Microbench.".Length..]}.{method.DeclaringType.Name}.{method.Name}";

    public Type Type => method.DeclaringType!;

    public bool NeedsKernel => Type == typeof(RingRead);

    /// <summary>Why it cannot run here; null when it can.</summary>
    public string? Unavailable() => NeedsKernel ? KernelRing.Unavailable() : null;

    /// <summary>
    /// Bytes of managed memory that an operation allocates once it is warm, rounded to the nearest: on the calling thread, or for asynchronous ones in the
    /// whole process, which must be idle otherwise.
    /// </summary>
    public async Task<long> AllocatedAsync()
    {
        var instance = Activator.CreateInstance(Type)!;
        Run(instance, typeof(GlobalSetupAttribute));
        try
        {
            var invocations = Math.Max(Invocations, (SmallestOperations + operationsPerInvoke - 1) / operationsPerInvoke);
            for (var i = 0; i < WarmUp; i++)
            {
                await AllocatedAsync(instance, 1);
            }

            // Blocks are slow and few; everything quick is repeated until it counts.
            invocations = Type.Namespace!.EndsWith(".Native", StringComparison.Ordinal) ? Invocations : invocations;
            var bytes = await AllocatedAsync(instance, invocations);
            return (long)Math.Round((double)bytes / ((long)invocations * operationsPerInvoke), MidpointRounding.AwayFromZero);
        }
        finally
        {
            Run(instance, typeof(GlobalCleanupAttribute));
        }
    }

    private async Task<long> AllocatedAsync(object instance, int invocations)
    {
        var bytes = 0L;
        if (method.ReturnType == typeof(long))
        {
            var invoke = method.CreateDelegate<Func<long>>(instance);
            for (var i = 0; i < invocations; i++)
            {
                Run(instance, typeof(IterationSetupAttribute));
                var before = GC.GetAllocatedBytesForCurrentThread();
                _ = invoke();
                bytes += GC.GetAllocatedBytesForCurrentThread() - before;
            }

            return bytes;
        }

        var start = method.CreateDelegate<Func<Task>>(instance);
        for (var i = 0; i < invocations; i++)
        {
            Run(instance, typeof(IterationSetupAttribute));
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await start().ConfigureAwait(false);
            bytes += GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        return bytes;
    }

    private static void Run(object instance, Type attribute)
    {
        foreach (var found in instance.GetType().GetMethods().Where(candidate => candidate.IsDefined(attribute)))
        {
            found.Invoke(instance, null);
        }
    }
}
