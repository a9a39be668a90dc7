using System.Buffers;
using System.Text;
using System.Text.Json;
using Streams.Agent.CommandLine;

namespace Streams.Agent.Doctor;

/// <summary>`streams-agent doctor`: what this machine lacks, each lack with its remedy. Exit code 1 when something required is lacking.</summary>
internal static class DoctorCommand
{
    public static int Run(AgentArguments arguments, TextWriter output)
    {
        var checks = new List<DoctorCheck>();
        KernelChecks.Add(checks);
        checks.Add(SodiumCheck.Run());
        ConfigurationCheck.Add(checks, arguments);
        var lacking = 0;
        foreach (var check in checks)
            lacking += check is { Required: true, Fine: false } ? 1 : 0;
        if (arguments.Json)
            WriteJson(checks, lacking, output);
        else
            WriteText(checks, lacking, output);
        return lacking == 0 ? 0 : 1;
    }

    private static void WriteText(List<DoctorCheck> checks, int lacking, TextWriter output)
    {
        foreach (var check in checks)
        {
            var mark = check.Fine ? "ok  " : check.Required ? "LACK" : "note";
            output.WriteLine($"{mark}  {check.Name,-34} {check.Detail}");
            if (check.Remedy.Length > 0)
                output.WriteLine($"      -> {check.Remedy}");
        }

        output.WriteLine(lacking == 0 ? "This machine can run the agent." : $"{lacking} required thing(s) are lacking.");
    }

    private static void WriteJson(List<DoctorCheck> checks, int lacking, TextWriter output)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("version", AgentVersion.Text);
            writer.WriteBoolean("ok", lacking == 0);
            writer.WriteStartArray("checks");
            foreach (var check in checks)
            {
                writer.WriteStartObject();
                writer.WriteString("name", check.Name);
                writer.WriteBoolean("required", check.Required);
                writer.WriteBoolean("ok", check.Fine);
                writer.WriteString("detail", check.Detail);
                writer.WriteString("remedy", check.Remedy);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }
}
