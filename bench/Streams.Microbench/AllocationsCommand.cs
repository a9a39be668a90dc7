using System.CommandLine;
using Streams.Microbench.Allocations;

namespace Streams.Microbench;

/// <summary>`allocations`: what each operation allocates beside its budget, in seconds; what the test in CI does, as a table.</summary>
internal static class AllocationsCommand
{
    public static Command Create()
    {
        var write = new Option<bool>("--write") { Description = "Make what is measured the budget, where it is lower or there is none." };
        var command = new Command("allocations", "Bytes that each operation allocates, beside bench/budgets/allocations.json.") { write };
        command.SetAction((parse, _) => RunAsync(parse.GetValue(write)));
        return command;
    }

    private static async Task<int> RunAsync(bool write)
    {
        var budgets = AllocationBudgets.Read();
        var over = 0;
        foreach (var benchmark in BenchmarkCatalogue.All)
        {
            if (benchmark.Unavailable() is { } reason)
            {
                Console.WriteLine($"{benchmark.Name,-36} skipped: {reason}");
                continue;
            }

            var bytes = await benchmark.AllocatedAsync();
            var budget = budgets.TryGetValue(benchmark.Name, out var found) ? found : (long?)null;
            var verdict = budget is null ? "no budget" : bytes > budget ? "OVER" : "";
            over += verdict.Length == 0 ? 0 : 1;
            Console.WriteLine($"{benchmark.Name,-36} {bytes,10:N0} bytes, budget {budget,10:N0} {verdict}");
            budgets[benchmark.Name] = Math.Min(budget ?? long.MaxValue, bytes);
        }

        if (write)
        {
            AllocationBudgets.Write(budgets);
            return 0;
        }

        return over == 0 ? 0 : 1;
    }
}
