namespace Streams.Agent.Modules.Observability.Shedding;

/// <summary>What is shed at each level, least valuable first. process_exec is never shed: a full ring is then the last resort.</summary>
internal static class ShedSteps
{
    /// <summary>SensorControl.ShedLevel by level: classes whose VALUE_* of bpf/events.h is below it are shed.</summary>
    private static readonly uint[] Values = [0, 20, 30, 40, 50];

    private static readonly string[] Names =
    [
        "nothing",
        "network_close",
        "network_close and network_accept",
        "network_close, network_accept and process_exit",
        "all but process_exec",
    ];

    /// <summary>The highest level.</summary>
    public static int Highest => Values.Length - 1;

    public static uint ValueOf(int level) => Values[level];

    public static string NameOf(int level) => Names[level];
}
