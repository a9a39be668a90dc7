using System.CommandLine;
using System.Text.Json;
using Streams.Microbench.Stages;

namespace Streams.Microbench;

/// <summary>`stages`: the graphs of gateway and worker beside loops by hand; `bench limits` runs it.</summary>
internal static class StagesCommand
{
    private static readonly JsonSerializerOptions Flat = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create()
    {
        var turns = new Option<int>("--turns") { Description = "Turns of each side, 3 to 101.", DefaultValueFactory = _ => 25 };
        var json = new Option<string?>("--json") { Description = "Write the result to this file, one flat object." };
        var command = new Command("stages", "Rows/s through the Akka graphs of gateway and worker beside bounded-channel loops that do the same work.") { turns, json };
        command.SetAction(async (parse, stop) =>
        {
            var count = parse.GetValue(turns);
            if (count is < 3 or > 101)
            {
                Console.Error.WriteLine($"microbench: --turns {count}: expected 3 to 101");
                return 2;
            }

            var ratio = await StageRatio.MeasureAsync(count);
            Console.WriteLine($"batches  {StageRatio.RowsPerBatch} rows, {ratio.BatchDecodedBytes:N0} bytes decoded, {ratio.BatchStoredBytes:N0} stored; frames {ratio.FrameBytes:N0} bytes");
            Console.WriteLine($"worker   graph {ratio.WorkerGraphRowsPerSecond:N0} rows/s, loop {ratio.WorkerLoopRowsPerSecond:N0}: {ratio.WorkerGraphRowsPerSecond / ratio.WorkerLoopRowsPerSecond:0.000}");
            Console.WriteLine($"gateway  graph {ratio.GatewayGraphRowsPerSecond:N0} rows/s, loop {ratio.GatewayLoopRowsPerSecond:N0}: {ratio.GatewayGraphRowsPerSecond / ratio.GatewayLoopRowsPerSecond:0.000}");
            if (parse.GetValue(json) is { } file)
            {
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(ratio, Flat) + "\n", stop);
            }

            return 0;
        });
        return command;
    }
}
