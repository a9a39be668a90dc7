using Streams.Microbench.Allocations;
using Xunit.Abstractions;

// What other threads allocate counts for asynchronous benchmarks.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Streams.Microbench.Tests;

/// <summary>
/// Bytes that each operation of the hot path allocates, against `bench/budgets/allocations.json`. Counted exactly by the runtime over enough operations, so it
/// takes seconds and no quiet machine.
/// </summary>
public sealed class AllocationBudgetTests(ITestOutputHelper output)
{
    public static TheoryData<string> Benchmarks =>
        [.. BenchmarkCatalogue.All.Where(static benchmark => !benchmark.NeedsKernel).Select(static benchmark => benchmark.Name)];

    [Fact]
    public void Every_benchmark_has_a_budget_and_every_budget_a_benchmark() =>
        Assert.Equal(BenchmarkCatalogue.All.Select(static benchmark => benchmark.Name), AllocationBudgets.Read().Keys);

    [Fact]
    public void Every_hop_of_the_path_has_a_benchmark() => Assert.Equal(
        ["Batch", "Columns", "Merge", "Native", "Ring", "Stages", "Wire"],
        BenchmarkCatalogue.All.Select(static benchmark => benchmark.Name.Split('.')[0]).Distinct());

    [Theory]
    [MemberData(nameof(Benchmarks))]
    public Task No_operation_allocates_more_than_its_budget(string name) => CheckAsync(name);

    [KernelFact]
    public async Task No_read_of_a_ring_allocates_more_than_its_budget()
    {
        foreach (var benchmark in BenchmarkCatalogue.All.Where(static benchmark => benchmark.NeedsKernel))
        {
            await CheckAsync(benchmark.Name);
        }
    }

    private async Task CheckAsync(string name)
    {
        var budget = AllocationBudgets.Read()[name];
        var bytes = await BenchmarkCatalogue.All.Single(benchmark => benchmark.Name == name).AllocatedAsync();
        output.WriteLine($"{name}: {bytes} bytes an operation, budget {budget}");
        Assert.True(bytes <= budget, $"{name} allocates {bytes} bytes an operation, its budget in bench/budgets/allocations.json is {budget}");
    }
}
