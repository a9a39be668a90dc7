using System.CommandLine;
using System.Text.Json;
using Streams.Bench.Running;

namespace Streams.Bench.Wire;

/// <summary>`wire`: what sessions, frames and messages cost, each beside the least they could cost in the same run.</summary>
internal static class WireCommand
{
    private const int Sessions = 5000;
    private const int Reconnecting = 2000;

    private static readonly JsonSerializerOptions Flat = new() { PropertyNamingPolicy = new LowerSnakeWithUnits(), WriteIndented = true };

    public static Command Create()
    {
        var json = new Option<string?>("--json") { Description = "Write the result to this file, one flat object." };
        var command = new Command("wire", "Handshakes, frames, idle sessions and small messages, beside bare crypto and a bare echo.") { json };
        command.SetAction(async (parse, stop) =>
        {
            var directory = Directory.CreateTempSubdirectory("streams-wire-").FullName;
            var report = await RunAsync(directory, stop);
            if (parse.GetValue(json) is { } file)
            {
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(report, Flat) + "\n", stop);
            }

            if (report.Misses().ToArray() is { Length: > 0 } misses)
            {
                throw new BenchFailure($"below the gate: {string.Join("; ", misses)}; logs are in {directory}");
            }

            Directory.Delete(directory, recursive: true);
            return 0;
        });
        return command;
    }

    private static async Task<WireReport> RunAsync(string directory, CancellationToken stop)
    {
        var frames = new[] { 1024, 16 * 1024, 64 * 1024 }.Select(FrameCase.Ratio).ToArray();
        Console.WriteLine($"frames               {frames[0]:0.00}, {frames[1]:0.00}, {frames[2]:0.00} of the bare AEAD at 1, 16, 64 KiB");
        var ideal = BareCrypto.IdealHandshakeSeconds();
        Console.WriteLine($"ideal handshake      {ideal * 1e6:0} us");

        var data = Path.Combine(directory, "data");
        await using var up = await UpProcess.StartAsync(data, Path.Combine(directory, "up.log"), ["--no-agent"], stop);
        // Apart: a session also becomes a row, which is the worker's work in the same process otherwise.
        await using var gateway = await GatewayProcess.StartAsync(data, up.Endpoints, Path.Combine(directory, "gateway.log"), stop);
        using var rows = new EngineClient(up.Endpoints);
        Console.WriteLine($"making {Sessions:N0} identities");
        using var swarm = await Swarm.CreateAsync(data, gateway.Url, Sessions, stop);
        var server = gateway.Id;

        // First: a heap that has grown for others holds these in what it has.
        var idle = await IdleCase.SessionBytesAsync(swarm, server, stop);
        var echo = await IdleCase.EchoBytesAsync(directory, Sessions, stop);
        Console.WriteLine($"idle session         {idle:N0} bytes, {idle / echo:0.00} of a bare echo's {echo:N0}");
        var handshake = await SessionCases.HandshakeCpuAsync(swarm, server, count: 3000, stop);
        Console.WriteLine($"handshake            {handshake * 1e6:0} us of gateway CPU, {ideal / handshake:0.00} of ideal");
        var (each, seconds, refused) = await SessionCases.ReconnectAsync(swarm, server, Reconnecting, stop);
        Console.WriteLine($"2,000 at once        {each * 1e6:0} us of gateway CPU, {ideal / each:0.00} of ideal, all back after {seconds:0.0} s, {refused} attempts sent away");
        var binary = await MessageCase.BinaryAsync(data, rows, swarm, stop);
        Console.WriteLine($"messages, bin        {binary:N0}/s over one connection, into rows");
        var json = await MessageCase.JsonAsync(rows, swarm, stop);
        Console.WriteLine($"messages, json       {json:N0}/s over one connection, each signed, into rows");
        var junk = await JunkCase.RunAsync(swarm, stop);
        Console.WriteLine($"under junk           {junk.Ratio:0.00} of the goodput, {junk.JunkPerSecond:N0} junk handshakes/s");
        Console.WriteLine($"beside silent peers  {junk.SilentRatio:0.00} of the goodput, {junk.SilentPerSecond:N0} of them/s");
        await gateway.StopAsync();
        await up.StopAsync();
        return new WireReport
        {
            HandshakeRatio = Round(ideal / handshake),
            Reconnect2000Ratio = Round(ideal / each),
            Reconnect2000Seconds = Round(seconds),
            Reconnect2000Refused = refused,
            FrameRatio1k = Round(frames[0]),
            FrameRatio16k = Round(frames[1]),
            FrameRatio64k = Round(frames[2]),
            IdleConnectionBytes = Math.Round(idle),
            IdleConnectionRatio = Round(idle / echo),
            JsonMessagesPerSecond = Math.Round(json),
            BinMessagesPerSecond = Math.Round(binary),
            JunkGoodputRatio = Round(junk.Ratio),
            JunkPerSecond = Math.Round(junk.JunkPerSecond),
            SilentGoodputRatio = Round(junk.SilentRatio),
            SilentPerSecond = Math.Round(junk.SilentPerSecond),
        };
    }

    private static double Round(double value) => Math.Round(value, 3);

    /// <summary>snake_case that keeps `1k` and `2000` as words.</summary>
    private sealed class LowerSnakeWithUnits : JsonNamingPolicy
    {
        public override string ConvertName(string name) => SnakeCaseLower.ConvertName(name)
            .Replace("reconnect2000", "reconnect_2000", StringComparison.Ordinal).Replace("ratio1k", "ratio_1k", StringComparison.Ordinal)
            .Replace("ratio16k", "ratio_16k", StringComparison.Ordinal).Replace("ratio64k", "ratio_64k", StringComparison.Ordinal);
    }
}
