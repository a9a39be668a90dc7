using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Streams.Host.Terminal;
using Streams.Host.Up;

namespace Streams.Host.Commands;

/// <summary>`streams doctor`: whether this machine can run Streams, and for each lack the remedy.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print the checks as JSON." };
        var command = new Command("doctor", "Check kernel, capabilities, nats-server and ClickHouse engine; name the remedy for each lack.") { json };
        command.SetAction(async (parse, stop) =>
        {
            var checks = new List<Check> { await NatsAsync(stop), await EngineAsync(stop) };
            checks.AddRange(await AgentAsync(stop));
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(checks, JsonSerializerOptions.Web));
            }
            else
            {
                foreach (var check in checks)
                {
                    Console.WriteLine($"{(check.Ok ? "ok  " : check.Required ? "LACK" : "note")}  {check.Name,-34} {check.Detail}");
                    if (!check.Ok && check.Remedy is { Length: > 0 } remedy)
                    {
                        Console.WriteLine($"      -> {remedy}");
                    }
                }
            }
            return checks.TrueForAll(check => check.Ok || !check.Required) ? 0 : 1;
        });
        return command;
    }

    private static async Task<Check> NatsAsync(CancellationToken stop)
    {
        var (code, output) = await RunAsync(ProgramPaths.Nats(), ["--version"], stop);
        return code == 0
            ? new Check("nats-server", true, output.Trim(), null)
            : new Check("nats-server", false, "not installed", "run ./justw setup, or: apt-get install nats-server");
    }

    private static async Task<Check> EngineAsync(CancellationToken stop)
    {
        const string Remedy = "run ./justw setup, then ./justw build";
        string program;
        try
        {
            program = ProgramPaths.ClickHouse();
        }
        catch (CommandFailure failure)
        {
            return new Check("streams-clickhouse", false, failure.Message, Remedy);
        }
        var dll = program.EndsWith(".dll", StringComparison.Ordinal);
        var (code, output) = await RunAsync(dll ? "dotnet" : program, dll ? [program, "--check"] : ["--check"], stop);
        return new Check("streams-clickhouse", code == 0, output.Trim(), Remedy);
    }

    /// <summary>What only the agent can know, it says itself: the host program never loads libbpf.</summary>
    private static async Task<IReadOnlyList<Check>> AgentAsync(CancellationToken stop)
    {
        string program;
        try
        {
            program = ProgramPaths.Agent();
        }
        catch (CommandFailure failure)
        {
            return [new Check("streams-agent", false, failure.Message, "run ./justw build")];
        }
        var (_, output) = await RunAsync(program, ["doctor", "--json"], stop);
        try
        {
            using var document = JsonDocument.Parse(output);
            return [.. document.RootElement.GetProperty("checks").EnumerateArray().Select(Read)];
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return [new Check("streams-agent", false, $"{program} doctor --json printed no checks", "run ./justw build")];
        }
    }

    private static Check Read(JsonElement check) => new(
        check.GetProperty("name").GetString()!, check.GetProperty("ok").GetBoolean(), check.GetProperty("detail").GetString() ?? "",
        check.TryGetProperty("remedy", out var remedy) ? remedy.GetString() : null,
        !check.TryGetProperty("required", out var required) || required.GetBoolean());

    private static async Task<(int Code, string Output)> RunAsync(string program, string[] arguments, CancellationToken stop)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEndAsync(stop);
            var output = await process.StandardOutput.ReadToEndAsync(stop);
            await process.WaitForExitAsync(stop);
            return (process.ExitCode, output.Length > 0 ? output : await errors);
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            return (127, failure.Message);
        }
    }

    /// <param name="Required">False: something works without it, and the remedy says what does not.</param>
    private sealed record Check(string Name, bool Ok, string Detail, string? Remedy, bool Required = true);
}
