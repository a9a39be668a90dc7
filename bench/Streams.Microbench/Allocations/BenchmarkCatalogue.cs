using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace Streams.Microbench.Allocations;

/// <summary>Every benchmark of this program.</summary>
internal static class BenchmarkCatalogue
{
    public static IReadOnlyList<BenchmarkCase> All { get; } =
    [
        .. typeof(BenchmarkCatalogue).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Select(static method => (Method: method, Benchmark: method.GetCustomAttribute<BenchmarkAttribute>()))
            .Where(static found => found.Benchmark is not null)
            .Select(static found => new BenchmarkCase(found.Method, found.Benchmark!.OperationsPerInvoke))
            .OrderBy(static found => found.Name, StringComparer.Ordinal),
    ];
}
