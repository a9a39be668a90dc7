using System.Text;
using Streams.Gateway.Ingest;
using Streams.Wire;

namespace Streams.Fuzz.Targets;

/// <summary>The top of a JSON batch, as the gateway reads it before the queue gets it: what is admitted has the name of its message.</summary>
internal sealed class AdmissionFuzz : FuzzTarget
{
    private const string EpochText = "000102030405060708090a0b0c0d0e0f";

    private static readonly Channel Observability = Channels.All.Single(channel => channel.Name == "agent.observability");

    public override string Name => "admission";

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Utf8($$"""{"epoch":"{{EpochText}}","lane":3,"n":9,"class":"process_exec","schema":1,"events":[{"seq":1,"pid":7}]}""");
        yield return Utf8($$$"""{"sensor_epoch":"{{{EpochText}}}","epoch":"{{{EpochText}}}","lane":"3","n":9,"class":"network_connect","schema":1,"ledger":[{"cpu":2,"first":5,"last":9,"rows":2,"lost":{"shed":3}}],"events":[]}""");
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "\"epoch\":", "\"lane\":3", "\"n\":9", "\"class\":\"", "\"ledger\":[]", "\"events\":[]", "\\ud800", "\\u0061", "1e400", "null", "{", "}", "[", "]", "," }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var error = JsonAdmission.TryRead(input, EpochText + "-3-9", Observability, out var name, out var priority, out var field);
        Must(field.Length < 64 && Ascii.IsValid(field) && field.All(c => !char.IsControl(c)), "a field that cannot be logged");
        Must(name.Lane == 3 && name.N == 9 && name.Epoch.ToString() == EpochText, "another name than the message's");
        Must(error != WireError.None || (field.Length == 0 && Enum.IsDefined(priority)), "a fault that is none");
        return ((int)error << 8) + field.Length;
    }
}
